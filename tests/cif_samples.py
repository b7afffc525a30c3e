"""CIF text made up for the tests, read by us and by ASE."""

from __future__ import annotations

import io
import pickle
import warnings

import numpy as np
from ase import Atoms
from ase.io import read

from ingest.cif.importer import CifImporter
from ingest.frames.frames import FrameBatch, Reject

PERIODIC_TOLERANCE = 1e-9  # Å


def read_all(data: bytes | str) -> tuple[list[FrameBatch], list[Reject]]:
    data = data.encode() if isinstance(data, str) else data
    importer = CifImporter()
    (block,) = importer.blocks(io.BytesIO(data), "folder/a.cif")
    return importer.read(pickle.loads(pickle.dumps(block.without_data())).with_data(data))


def read_one(data: bytes | str) -> FrameBatch:
    (batch,), rejects = read_all(data)
    assert (len(batch), rejects) == (1, [])
    return batch


def reason_of(data: bytes | str) -> str:
    batches, (reject,) = read_all(data)
    assert batches == []
    return reject.reason


def through_ase(data: str | bytes) -> Atoms:
    data = data.encode() if isinstance(data, str) else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(io.BytesIO(data), format="cif")


def assert_same(batch: FrameBatch, atoms: Atoms) -> None:
    """The same cell and the same atoms but for order and lattice translations."""
    np.testing.assert_allclose(batch.cell[0], atoms.cell.array, rtol=0, atol=PERIODIC_TOLERANCE)
    assert len(batch.numbers) == len(atoms)
    cell = batch.cell[0]
    apart = (batch.positions[:, None] - atoms.positions[None]) @ np.linalg.inv(cell)
    distance = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=2)
    distance[batch.numbers[:, None] != atoms.numbers[None]] = np.inf
    nearest = distance.argmin(axis=1)
    assert sorted(nearest) == list(range(len(atoms)))
    assert distance.min(axis=1).max() < PERIODIC_TOLERANCE


def cif(
    *rows: str,
    cell: tuple[float, ...] = (4, 4, 4, 90, 90, 90),
    symmetry: str = "",
    columns: str = "label fract_x fract_y fract_z",
    name: str = "a",
) -> str:
    tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"data_{name}", *(f"_cell_{t} {v}" for t, v in zip(tags, cell, strict=True)), symmetry]
    lines += ["loop_", *(f"_atom_site_{column}" for column in columns.split()), *rows, ""]
    return "\n".join(lines)


def triplets(*operations: str) -> str:
    quoted = "\n".join(f"'{operation}'" for operation in operations)
    return f"loop_\n_symmetry_equiv_pos_as_xyz\n{quoted}"


def group(number: int) -> str:
    return f"_symmetry_Int_Tables_number {number}"


OCCUPIED = "label type_symbol fract_x fract_y fract_z occupancy"
HEXAGONAL = (3.25, 3.25, 5.2, 90, 90, 120)


SYMMETRIC = {
    "rock salt": (
        cif("Na1 0 0 0", "Cl1 0.5 0.5 0.5", cell=(5.64,) * 3 + (90,) * 3, symmetry=group(225)),
        {"Na": 4, "Cl": 4},
    ),
    "rutile": (
        cif(
            "Ti1 0 0 0",
            "O1 0.3053(2) 0.3053(2) 0.0",
            cell=(4.5937, 4.5937, 2.9587, 90, 90, 90),
            symmetry="_space_group_name_H-M_alt 'P 42/m n m'\n" + group(136),
        ),
        {"Ti": 2, "O": 4},
    ),
    "wurtzite": (
        cif(
            "Zn1 0.333333333333 0.666666666667 0",
            "O1 0.333333333333 0.666666666667 0.3819",
            cell=HEXAGONAL,
            symmetry=group(186),
        ),
        {"Zn": 2, "O": 2},
    ),
    "triclinic pair": (
        cif(
            "Cu1 0.1 -0.2 1.3",
            cell=(4.1, 5.2, 6.3, 80, 95, 110),
            symmetry=group(2) + "\n" + triplets("x,y,z", "-x, -y, -z"),
        ),
        {"Cu": 2},
    ),
    "rhombohedral, vacancies": (
        cif(
            "Fe1 Fe3+ 0 0 0.3553 1",
            "O1 O2- 0.3059 0 0.25 0.9",
            cell=(5.038, 5.038, 13.772, 90, 90, 120),
            symmetry="_symmetry_space_group_name_H-M 'R -3 c'\n" + group(167),
            columns=OCCUPIED,
        ),
        {"Fe": 12, "O": 18},
    ),
    "alloy": (
        cif(
            "M1 Cu 0 0 0 0.25",
            "M2 Ni 0 0 0 0.75",
            symmetry=group(225),
            columns=OCCUPIED,
        ),
        {"Ni": 4},
    ),
}
