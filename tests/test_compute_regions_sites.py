"""The scheme `sites` on crystals whose defects are known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.calculators.emt import EMT
from ase.geometry import find_mic
from ase.optimize import BFGS
from region_samples import DEFECTS, is_right, ordered_alloy, sites

from benchmarks.known_defects import LATTICES, Known, with_defect
from compute.regions.structure import THREE, TWO, NoRegionsError


def share_right(sizes, rattles, seeds):
    """The share of structures whose defects are found, and those that are not."""
    wrong, n = [], 0
    for case in product(LATTICES, sizes, DEFECTS, rattles, seeds):
        known = with_defect(*case)
        n += 1
        try:
            found = sites(known.atoms)
        except NoRegionsError as error:
            wrong.append((case, str(error)))
            continue
        if not is_right(known, found) or found.details["lattice"] != case[0]:
            wrong.append((case, found.defect_kind))
    return 1 - len(wrong) / n, wrong


def test_defects_are_found_in_small_cells():
    share, wrong = share_right((2, 3), (0.0, 0.1), (0, 1))
    assert share >= 0.99, wrong


@pytest.mark.slow
def test_defects_are_found_in_at_least_99_percent_up_to_a_tenth_of_an_angstrom():
    share, wrong = share_right((2, 3, 4, 5), (0.0, 0.05, 0.1), range(5))
    assert share >= 0.99, wrong


@pytest.mark.slow
def test_defects_are_found_nearly_always_at_larger_displacements():
    share, wrong = share_right((2, 3, 4, 5), (0.15,), range(4))
    assert share >= 0.97, wrong


def rotated(atoms: Atoms, seed: int) -> Atoms:
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    strained = turn @ (np.eye(3) + random.uniform(-0.03, 0.03, (3, 3)))
    turned = atoms.copy()
    turned.set_cell(atoms.cell.array @ strained, scale_atoms=True)
    return turned


@pytest.mark.parametrize("lattice", LATTICES)
@pytest.mark.parametrize("seed", range(3))
def test_crystals_may_be_turned_and_strained(lattice, seed):
    known = with_defect(lattice, 3, "vacancy", 0.05, seed)
    marked = known.atoms.copy()
    marked.append("He")
    marked.positions[-1] = known.centres[0]
    marked = rotated(marked, seed)
    centre = marked.positions[-1].copy()
    del marked[-1]
    assert is_right(Known(marked, "vacancy", centre[np.newaxis]), sites(marked))


@pytest.mark.parametrize(
    ("primitive", "name"),
    [
        (bulk("Fe", a=2.87), "bcc"),
        (bulk("Cu", a=3.61), "fcc"),
        (bulk("Mg"), "hcp"),
        (bulk("Zn"), "hcp"),
        (bulk("Si"), "diamond"),
        (bulk("NaCl", "rocksalt", a=5.64), "sc"),
        (bulk("CaF2", "fluorite", a=5.46), "a crystal with 3 sites per primitive cell"),
        (bulk("Po", "sc", a=3.35), "sc"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.symbols),
)
def test_skewed_supercells_have_their_lattice(primitive, name):
    atoms = make_supercell(primitive, [[4, 1, 0], [-1, 3, 1], [0, 1, 4]])
    atoms.rattle(0.05, seed=1)
    whole = sites(atoms)
    assert (whole.defect_kind, whole.details["lattice"]) == ("none", name)
    place = atoms.positions[3].copy()
    del atoms[3]
    assert is_right(Known(atoms, "vacancy", place[np.newaxis]), sites(atoms))


@pytest.mark.parametrize("name", ["bcc", "fcc", "hcp"])
def test_primitive_cells_are_without_defect(name):
    atoms = bulk(LATTICES[name][0], name, a=LATTICES[name][1])
    found = sites(atoms)
    assert (found.defect_kind, found.details["lattice"]) == ("none", name)
    assert found.details["n_sites"] == len(atoms)


def test_an_atom_of_another_element_is_an_antisite():
    atoms = bulk("Fe", cubic=True) * 3
    atoms.rattle(0.05, seed=0)
    atoms.symbols[7] = "Cr"
    found = sites(atoms)
    assert (found.defect_kind, found.kinds) == ("antisite", ("antisite",))
    assert np.linalg.norm(atoms.positions[7] - found.centres[0]) < 0.3


def test_an_ordered_alloy_keeps_its_elements_apart():
    atoms = ordered_alloy()
    assert sites(atoms).defect_kind == "none"
    atoms.numbers[[0, 1]] = atoms.numbers[[1, 0]]
    assert sites(atoms).kinds == ("antisite", "antisite")


def test_several_kinds_are_complex():
    atoms = ordered_alloy()
    atoms.symbols[0] = "Al"
    del atoms[25]
    found = sites(atoms)
    assert (found.defect_kind, sorted(found.kinds)) == ("complex", ["antisite", "vacancy"])


def test_in_a_random_alloy_no_element_is_wrong():
    atoms = bulk("Fe", cubic=True) * 4
    atoms.rattle(0.05, seed=0)
    atoms.numbers = np.random.default_rng(1).permutation([26] * 64 + [24] * 64)
    assert sites(atoms).defect_kind == "none"
    place = atoms.positions[5].copy()
    del atoms[5]
    assert is_right(Known(atoms, "vacancy", place[np.newaxis]), sites(atoms))


def test_distances_are_those_to_the_nearest_defect():
    known = with_defect("fcc", 4, "two-vacancies", 0.05, 3)
    found = sites(known.atoms)
    apart = np.array(
        [
            find_mic(known.atoms.positions - centre, known.atoms.cell, True)[1]
            for centre in found.centres
        ]
    )
    assert found.distance is not None
    np.testing.assert_allclose(found.distance, apart.min(axis=0), atol=1e-10)
    first_shell = found.details["first_shell_radius"]
    assert first_shell == pytest.approx(1.2 * 3.61 / np.sqrt(2))
    two = np.array([TWO[code] for code in found.two], object)
    np.testing.assert_array_equal(two == "defect", found.distance < 1.2 * first_shell)
    np.testing.assert_array_equal(two == "bulk", found.distance > 3.0 * first_shell)
    core = {i for row in apart for i in np.argsort(row)[:8]}
    three = [THREE[code] for code in found.three]
    assert {i for i, label in enumerate(three) if label == "core"} == core
    assert {i for i, label in enumerate(three) if label == "bulk"} == set(
        np.flatnonzero(found.distance > 5.0)
    )


def test_without_defect_all_is_bulk_and_there_is_no_distance():
    found = sites(bulk("Cu", cubic=True) * 2)
    assert found.distance is None
    assert found.centres.shape == (0, 3)
    assert {TWO[code] for code in found.two} == {THREE[code] for code in found.three} == {"bulk"}


def test_a_sample_of_the_atoms_is_enough_for_the_lattice():
    known = with_defect("bcc", 9, "vacancy", 0.1, 0)
    assert len(known.atoms) > 1024
    assert is_right(known, sites(known.atoms))


@pytest.mark.parametrize("defect", ["vacancy", "split", "octahedral"])
def test_defects_are_found_once_their_surroundings_have_relaxed(defect):
    known = with_defect("fcc", 2, defect, 0.02, 1)
    known.atoms.calc = EMT()
    BFGS(known.atoms, logfile=None).run(fmax=0.1, steps=40)
    assert is_right(known, sites(known.atoms))


def test_an_atom_on_its_way_into_a_vacancy_makes_no_second_defect():
    atoms = bulk("Fe", cubic=True) * 3
    neighbour = int(np.argsort(atoms.get_distances(0, range(54), mic=True))[1])
    way = atoms.get_distance(0, neighbour, mic=True, vector=True)
    for share in (0.1, 0.3, 0.49, 0.51, 0.9):
        moving = atoms.copy()
        moving.positions[neighbour] = atoms.positions[0] + share * way
        moving.rattle(0.02, seed=1)
        del moving[0]
        assert sites(moving).kinds == ("vacancy",)
