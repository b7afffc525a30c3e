"""Symmetry of CIF files: every atom of the cell, as ASE makes them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from ase.spacegroup import crystal
from cif_samples import (
    SYMMETRIC,
    assert_same,
    cif,
    group,
    read_one,
    through_ase,
    triplets,
)


@pytest.mark.parametrize(("text", "counts"), SYMMETRIC.values(), ids=SYMMETRIC)
def test_symmetry_is_expanded_as_ase_does(text: str, counts: dict[str, int]) -> None:
    batch = read_one(text)
    atoms = through_ase(text)
    assert_same(batch, atoms)
    assert atoms.symbols.formula.count() == counts
    assert batch.pbc.all()


@pytest.mark.parametrize("number", [1, 2, 14, 62, 148, 166, 167, 194, 216, 225])
def test_cells_that_ase_makes_and_writes_are_read_back(number: int) -> None:
    cells = {1: (4, 5, 6, 75, 85, 95), 2: (4, 5, 6, 75, 85, 95), 14: (4, 5, 6, 90, 98, 90)}
    cell = cells.get(number, (6, 6, 6, 90, 90, 90) if number > 194 else (5, 5, 9, 90, 90, 120))
    cell = (5, 6, 7, 90, 90, 90) if number == 62 else cell
    atoms = crystal(["Cu", "O"], [(0, 0, 0), (0.21, 0.13, 0.37)], spacegroup=number, cellpar=cell)
    stream = io.BytesIO()
    write(stream, atoms, format="cif")
    assert_same(read_one(stream.getvalue()), through_ase(stream.getvalue()))
    operations = triplets(*_triplets_of(atoms))
    text = cif("Cu1 0 0 0", "O1 0.21 0.13 0.37", cell=cell, symmetry=operations)
    batch = read_one(text)
    assert_same(batch, atoms)
    assert batch.info[0]["spacegroup_number"] == number


def _triplets_of(atoms: Atoms) -> list[str]:
    found = []
    for rotation, translation in atoms.info["spacegroup"].get_symop():
        parts = []
        for row, shift in zip(rotation, translation, strict=True):
            terms = "".join(
                f"{'-' if r < 0 else '+'}{x}" for r, x in zip(row, "xyz", strict=True) if r
            )
            parts.append(f"{terms}+{round(shift * 24)}/24")
        found.append(",".join(parts))
    return found


def test_special_positions_of_rounded_coordinates_are_there_once() -> None:
    text = cif("Zn1 0.333 0.667 0", cell=(12.0, 12.0, 5.2, 90, 90, 120), symmetry=group(186))
    assert len(read_one(text).numbers) == 2


def test_coordinates_stay_as_they_are_without_symmetry_and_are_wrapped_with_it() -> None:
    assert not np.signbit(read_one(cif("Cu1 0 0 0")).cell).any()
    assert read_one(cif("Cu1 -0.25 1.5 0.5")).positions.tolist() == [[-1.0, 6.0, 2.0]]
    with_symmetry = read_one(cif("Cu1 -0.25 1.5 0.1", symmetry=group(2)))
    assert ((with_symmetry.positions >= 0) & (with_symmetry.positions < 4)).all()


def test_symmetry_is_found_from_whatever_states_it() -> None:
    cell = (5.43,) * 3 + (90,) * 3
    stated = {
        "_space_group_name_Hall '-F 4vw 2vw 3'": 227,
        "_symmetry_space_group_name_H-M 'F d -3 m :2'": 227,
        "_symmetry_space_group_name_H-M 'F d -3 m Z'": 227,
        "_symmetry_space_group_name_H-M Fm-3m": 225,
        "_space_group.IT_number 216": 216,
        "": 1,
    }
    for symmetry, number in stated.items():
        batch = read_one(cif("Si1 0.125 0.125 0.125", cell=cell, symmetry=symmetry))
        assert batch.info[0]["spacegroup_number"] == number
        if number == 227:
            assert batch.n_atoms.tolist() == [8]
