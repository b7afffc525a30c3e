"""A reference lattice as it is named on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from xxhash import xxh3_64_hexdigest

from compute.regions.reference import FoundLattice, GivenLattice
from lake.errors import InvalidInputError, NotFoundError
from lake.reader import Reader
from lake.rows.row_reader import RowReader
from lake.structures.structure_arrays import StructureArrays

TYPES = ("bcc", "fcc", "hcp", "sc", "diamond")
_STORED = re.compile(r"([A-Za-z0-9][\w.\-]*):(-?\d+)")
_LARGEST_CONSTANT = 100.0  # Å


def read_lattice(text: str) -> FoundLattice | GivenLattice:
    """A type of lattice, alone or with its constants in Å: ``bcc``, ``bcc:2.87``, ``hcp:3:4.8``.

    With constants, its axes are those of ``ase.build.bulk``; alone, it is looked for, however it is
    turned.

    Raises
    ------
    InvalidInputError
        It is none of these.
    """
    name, *constants = text.split(":")
    if name not in TYPES or len(constants) > (2 if name == "hcp" else 1):
        raise InvalidInputError(
            f"--lattice {text}: expected one of {', '.join(TYPES)}, alone or with its constant in "
            "Å, e.g. bcc:2.87, or two for hcp, e.g. hcp:2.95:4.68."
        )
    if not constants:
        return FoundLattice(name)
    values = [_constant(text, each) for each in constants]
    atoms = bulk("X", name, a=values[0], c=values[1] if len(values) == 2 else None)
    return GivenLattice(text, atoms.cell.array, atoms.positions, np.zeros(len(atoms), np.int64))


def _constant(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = np.nan
    if not 0 < value < _LARGEST_CONSTANT:
        raise InvalidInputError(
            f"--lattice {text}: {number!r} is no lattice constant. Expected a number of Å above 0 "
            f"and below {_LARGEST_CONSTANT:g}, e.g. bcc:2.87."
        )
    return value


def read_reference(reader: Reader, text: str) -> GivenLattice:
    """A crystal without defects: ``DATASET:STRUCTURE_ID`` of the lake, or a file ASE reads.

    Raises
    ------
    InvalidInputError
        It cannot be read, or is not periodic along all three directions.
    NotFoundError
        There is no such structure or file.
    """
    stored = _STORED.fullmatch(text)
    is_stored = stored is not None and not Path(text).exists()
    atoms = _of_lake(reader, *stored.groups()) if stored and is_stored else _of_file(text)
    if not atoms.pbc.all() or not abs(atoms.cell.volume) > 0:
        raise InvalidInputError(
            f"--reference {text}: its pbc is {atoms.pbc.tolist()}, its volume "
            f"{abs(atoms.cell.volume):g} Å³. Expected a crystal, periodic along all three "
            "directions. Give its cell and pbc in the file."
        )
    numbers = atoms.numbers.astype(np.int64)
    hashed = xxh3_64_hexdigest(
        b"".join(x.tobytes() for x in (atoms.cell.array, atoms.positions, numbers))
    )
    content = f"{atoms.symbols} {hashed}"
    return GivenLattice(
        text,
        atoms.cell.array,
        atoms.positions,
        numbers,
        content,
    )


def _of_lake(reader: Reader, dataset: str, identity: str) -> Atoms:
    there = {file.partition["dataset"] for file in reader.files("structures")}
    if dataset not in there:
        raise NotFoundError.among("dataset", dataset, there)
    columns = ("structure_id", "n_atoms", "numbers", "positions", "cell", "pbc")
    rows = RowReader(reader, "structures", columns=columns, dataset=dataset)
    found = StructureArrays.from_rows(rows.fetch([int(identity)]))
    return Atoms(found.numbers, found.positions, cell=found.cell[0], pbc=found.pbc[0])


def _of_file(path: str) -> Atoms:
    from ase.io import read
    from ase.io.formats import UnknownFileTypeError

    if not Path(path).is_file():
        raise NotFoundError(
            f"--reference {path}: there is no such file. Expected a file with one crystal, or "
            "DATASET:STRUCTURE_ID of a structure in the lake."
        )
    try:
        frames = read(path, ":")
    except (UnknownFileTypeError, ValueError, KeyError, IndexError, OSError) as error:
        raise InvalidInputError(
            f"--reference {path}: ASE cannot read it: {error}. Expected a file with one crystal. "
            "Convert it, e.g. to extxyz."
        ) from error
    if len(frames) != 1:
        raise InvalidInputError(
            f"--reference {path}: it holds {len(frames)} structures. Expected one crystal without "
            "defects. Put it into a file of its own."
        )
    (atoms,) = frames
    assert isinstance(atoms, Atoms)
    return atoms
