"""The scheme `legacy` against a direct implementation with ASE."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from region_samples import structure_of

from benchmarks.direct_legacy import direct_legacy
from benchmarks.known_defects import LATTICES, with_defect
from compute.regions.legacy import find_legacy, highest
from compute.regions.radii import Radii
from compute.regions.structure import THREE, TWO, NoRegionsError

RADII = Radii()


def check_against_direct(atoms: Atoms, model_cutoff: float = 5.0) -> None:
    found = find_legacy(structure_of(atoms), Radii(model_cutoff=model_cutoff))
    direct = direct_legacy(atoms, model_cutoff)
    assert found.details["first_shell_radius"] == pytest.approx(direct["first_shell"], abs=1e-10)
    assert found.distance is not None
    np.testing.assert_allclose(found.distance, direct["distance"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.centres, [direct["centre"]], rtol=0, atol=1e-10)
    assert [TWO[code] for code in found.two] == direct["two"]
    assert [THREE[code] for code in found.three] == direct["three"]


@pytest.mark.parametrize("lattice", LATTICES)
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("defect", ["vacancy", "split", "octahedral", "none"])
def test_crystals_with_defects_are_labelled_as_directly(lattice, n, defect):
    for seed, rattle in enumerate((0.0, 0.0, 0.03, 0.1, 0.15)):
        atoms = with_defect(lattice, n, defect, rattle, seed).atoms
        if len(atoms) > 1:
            check_against_direct(atoms)


@pytest.mark.parametrize("lattice", LATTICES)
@pytest.mark.parametrize("defect", ["vacancy", "split"])
def test_large_cells_are_labelled_as_directly(lattice, defect):
    check_against_direct(with_defect(lattice, 5, defect, 0.05, 0).atoms)


@pytest.mark.parametrize("name", ["H2", "H2O", "CH3CH2OH", "C6H6", "C60", "isobutane"])
@pytest.mark.parametrize("config_type", ["vac", "a SIA of a kind", None])
def test_molecules_are_labelled_as_directly(name, config_type):
    atoms = molecule(name)
    atoms.info["config_type"] = config_type or "molecule"
    check_against_direct(atoms)


@pytest.mark.parametrize("seed", range(12))
def test_gases_and_dense_cells_are_labelled_as_directly(seed):
    # Over a wide range of densities, so that the percentile lies everywhere it can.
    random = np.random.default_rng(seed)
    n_atoms = int(random.integers(2, 60))
    edge = float(n_atoms ** (1 / 3) * random.uniform(1.5, 9.0))
    cell = np.eye(3) * edge + random.normal(size=(3, 3)) * 0.15 * edge
    pbc = random.random(3) < 0.6
    # ASE wraps along a direction by all cell vectors, so these must be at right angles.
    cell = cell if pbc.all() else np.diag(np.diag(cell))
    atoms = Atoms(
        f"Cu{n_atoms}", positions=random.random((n_atoms, 3)) @ cell * 2, cell=cell, pbc=pbc
    )
    atoms.info["config_type"] = "sia" if seed % 2 else "vac"
    check_against_direct(atoms)


@pytest.mark.parametrize(("third", "radius"), [(4.0, 3.24), (4.5, 3.45), (60.0, 3.5)])
def test_the_percentile_may_lie_between_a_short_distance_and_a_long_one(third, radius):
    # Of 28 distances two are 2 Å: the percentile lies 0.35 of the way to the third.
    pairs = [(0, 2.0), (200, 202.0), (400, 400 + third), (600, 800)]
    atoms = Atoms("Cu8", positions=[[x, 0, 0] for pair in pairs for x in pair])
    check_against_direct(atoms)
    found = find_legacy(structure_of(atoms), RADII)
    assert found.details["first_shell_radius"] == pytest.approx(radius)


def test_surfaces_and_skewed_cells_are_labelled_as_directly():
    surface = fcc111("Cu", (3, 3, 3), vacuum=6.0)
    surface.rattle(0.05, seed=1)
    skewed = bulk("Fe", a=2.87) * 4
    skewed.rattle(0.05, seed=2)
    del skewed[5]
    for atoms in (surface, skewed):
        check_against_direct(atoms)
        check_against_direct(atoms, model_cutoff=3.0)


def test_atoms_outside_of_the_cell_are_where_their_images_are():
    atoms = with_defect("bcc", 3, "vacancy", 0.1, 2).atoms
    moved = atoms.copy()
    moved.positions += np.random.default_rng(0).integers(-3, 4, (len(atoms), 3)) @ atoms.cell
    found = [find_legacy(structure_of(each), RADII) for each in (atoms, moved)]
    np.testing.assert_array_equal(found[0].two, found[1].two)
    np.testing.assert_allclose(found[0].distance, found[1].distance, atol=1e-9)


def test_an_atom_of_the_core_may_be_of_the_bulk_too():
    found = find_legacy(structure_of(Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 12.0]])), RADII)
    assert [THREE[code] for code in found.three] == ["core+bulk", "core+bulk"]
    assert [TWO[code] for code in found.two] == [None, None]
    np.testing.assert_allclose(found.distance, [6.0, 6.0])
    np.testing.assert_allclose(found.centres, [[0, 0, 6.0]])


@pytest.mark.parametrize("n_atoms", [1, 3])
def test_without_two_places_there_are_no_regions(n_atoms):
    atoms = Atoms(f"Cu{n_atoms}", positions=np.zeros((n_atoms, 3)))
    with pytest.raises(NoRegionsError, match="no two atoms are at different places"):
        find_legacy(structure_of(atoms), RADII)


def test_ties_go_to_the_lower_index():
    assert highest(np.array([1.0, 2.0, 2.0, 0.0, 2.0, 1.0]), 4).tolist() == [1, 2, 4, 0]


def test_the_structure_is_taken_to_hold_what_its_name_says():
    atoms = with_defect("fcc", 2, "split", 0.05, 0).atoms
    kinds = {}
    for name in ("SIA_110", "vac", None):
        atoms.info["config_type"] = name
        kinds[name] = find_legacy(structure_of(atoms), RADII).defect_kind
    assert kinds == {"SIA_110": "interstitial", "vac": "vacancy", None: "vacancy"}
