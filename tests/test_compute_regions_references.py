"""The scheme `sites` on crystals whose lattice is given, and on what has none."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from region_samples import DEFECTS, gas, is_right, ordered_alloy, sites

from benchmarks.known_defects import LATTICES, with_defect
from compute.regions.reference import FoundLattice, GivenLattice
from compute.regions.structure import NoRegionsError


def in_a_box() -> Atoms:
    atoms = molecule("CH3CH2OH")
    atoms.center(vacuum=4.0)
    atoms.pbc = True
    return atoms


@pytest.mark.parametrize(
    ("atoms", "reason"),
    [
        (molecule("H2O"), "not periodic along all three directions"),
        (fcc111("Cu", (3, 3, 3), vacuum=6.0), "not periodic along all three directions"),
        (in_a_box(), "no lattice"),
        (Atoms("Ar", cell=[12.0] * 3, pbc=True), "Å³ per atom are no crystal"),
        (gas(60, 12.0, 0), "no lattice"),
        (gas(5, 6.0, 1), "no lattice"),
        (gas(2, 5.0, 2), "no lattice"),
        (Atoms("Cu4", positions=np.zeros((4, 3)), cell=[3.6] * 3, pbc=True), "no|not on"),
    ],
)
def test_without_a_lattice_the_reason_is_given(atoms, reason):
    with pytest.raises(NoRegionsError, match=reason):
        sites(atoms)


@pytest.mark.parametrize("seed", range(20))
def test_liquids_have_no_lattice(seed):
    random = np.random.default_rng(seed)
    atoms = bulk("Cu", cubic=True) * (2 + seed % 2)
    atoms.positions += random.normal(scale=1.2, size=atoms.positions.shape)
    with pytest.raises(NoRegionsError):
        sites(atoms)


def given(atoms: Atoms, label: str = "given") -> GivenLattice:
    return GivenLattice(label, atoms.cell.array, atoms.positions, atoms.numbers.astype(np.int64))


@pytest.mark.parametrize("lattice", LATTICES)
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_reference_may_be_a_primitive_cell_or_the_whole_crystal(lattice, defect):
    known = with_defect(lattice, 3, defect, 0.08, 1)
    whole = with_defect(lattice, 3, "none", 0.0, 2).atoms
    primitive = bulk(
        LATTICES[lattice][0], lattice, a=LATTICES[lattice][1], orthorhombic=lattice == "hcp"
    )
    for reference in (whole, primitive):
        assert is_right(known, sites(known.atoms, given(reference)))


def test_a_reference_says_which_element_belongs_where():
    atoms = ordered_alloy()
    reference = given(atoms)
    atoms.symbols[4] = "Fe"
    assert sites(atoms, reference).kinds == ("antisite",)
    nameless = GivenLattice("any", reference.cell, reference.positions, np.zeros(54, np.int64))
    assert sites(atoms, nameless).defect_kind == "none"  # one atom per site says nothing


def test_what_does_not_fit_a_reference_says_so():
    copper = bulk("Cu", cubic=True) * 3
    with pytest.raises(NoRegionsError, match="no multiple of that of the reference given"):
        sites(copper, given(bulk("W", cubic=True)))
    with pytest.raises(NoRegionsError, match="of the atoms are near sites of the reference given"):
        sites(gas(100, 10.83, 0), given(bulk("Cu", cubic=True)))
    with pytest.raises(NoRegionsError, match="the lattice is fcc, and bcc is expected"):
        sites(copper, FoundLattice("bcc"))


def test_a_lattice_that_is_mostly_empty_is_refused():
    atoms = bulk("Cu", cubic=True) * 3
    del atoms[::3]
    with pytest.raises(NoRegionsError, match="of 108 sites of fcc are empty"):
        sites(atoms, given(bulk("Cu", cubic=True)))
