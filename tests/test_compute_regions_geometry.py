"""Minimum images, neighbours and lattices, against ASE and against counting out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic
from ase.neighborlist import neighbor_list
from region_samples import structure_of

from compute.regions.lattice import nearest_sites, points_in
from compute.regions.minimum_image import MinimumImage, reduce_lattice
from compute.regions.pairs import find_pairs
from lake.errors import InvalidInputError

PERIODIC = np.array([True, True, True])
SKEWED = np.array([[5.0, 0.0, 0.0], [17.4, 4.0, 0.0], [12.6, -19.9, 6.0]])


@pytest.mark.parametrize("seed", range(20))
def test_vectors_are_shortened_as_ase_does_it(seed):
    random = np.random.default_rng(seed)
    cell = SKEWED if seed == 0 else random.normal(size=(3, 3)) * 5
    vectors = random.normal(size=(200, 3)) * 20
    found = MinimumImage(cell, PERIODIC).shorten(vectors)
    np.testing.assert_allclose(found, find_mic(vectors, cell)[0], atol=1e-9)


@pytest.mark.parametrize("pbc", list(product((False, True), repeat=3)))
@pytest.mark.parametrize("seed", range(3))
def test_vectors_are_shortened_along_periodic_directions_alone(pbc, seed):
    random = np.random.default_rng(seed)
    cell = np.diag([5.0, 6.0, 7.0]) + random.normal(size=(3, 3))
    vectors = random.normal(size=(40, 3)) * 6
    found = MinimumImage(cell, np.array(pbc)).shorten(vectors)
    reach = [range(-12, 13) if periodic else (0,) for periodic in pbc]
    images = np.array(list(product(*reach))) @ cell
    least = np.linalg.norm(vectors[:, np.newaxis] + images, axis=2).min(axis=1)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), least, atol=1e-9)
    shifts = (found - vectors) @ np.linalg.inv(cell)
    np.testing.assert_allclose(shifts, np.round(shifts), atol=1e-9)


def test_of_images_equally_near_the_lowest_is_taken():
    images = MinimumImage(np.diag([4.0, 4.0, 4.0]), PERIODIC)
    noise = 1e-12
    vectors = np.array([[2 + noise, 2 - noise, 0], [-2 + noise, 2 + noise, 0]])
    np.testing.assert_allclose(images.shorten(vectors), [[-2, -2, 0]] * 2, atol=1e-10)


def test_a_reduced_lattice_is_the_same_lattice():
    reduced = reduce_lattice(SKEWED)
    counts = SKEWED @ np.linalg.inv(reduced)
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    assert abs(np.linalg.det(counts)) == pytest.approx(1)
    assert np.linalg.norm(reduced, axis=1).max() < np.linalg.norm(SKEWED, axis=1).max()


def random_structures():
    random = np.random.default_rng(7)
    for pbc in product((False, True), repeat=3):
        for n_atoms, edge in ((1, 2.0), (2, 1.5), (5, 3.0), (40, 9.0)):
            cell = np.eye(3) * edge + random.normal(size=(3, 3)) * 0.2 * edge
            positions = random.uniform(-20, 20, size=(n_atoms, 3))
            yield Atoms(f"H{n_atoms}", positions=positions, cell=cell, pbc=pbc)
    yield bulk("Cu") * 2
    yield Atoms("H3", positions=np.zeros((3, 3)))


@pytest.mark.parametrize("atoms", list(random_structures()), ids=lambda a: f"{len(a)}-{a.pbc}")
@pytest.mark.parametrize("cutoff", [3.5, 0.5])
def test_neighbours_are_those_of_ase(atoms, cutoff):
    first, second, distance = neighbor_list("ijd", atoms, cutoff)
    structure = structure_of(atoms)
    found = find_pairs(structure, MinimumImage(structure.cell, structure.pbc), cutoff)

    def ordered(*columns):
        rows = zip(*(np.asarray(c).round(9).tolist() for c in columns), strict=True)
        return np.array(sorted(rows)).reshape(-1, 3)

    np.testing.assert_allclose(
        ordered(found.first, found.second, found.distance), ordered(first, second, distance)
    )
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), found.distance, atol=1e-9)
    images = MinimumImage(structure.cell, structure.pbc)
    between = atoms.positions[found.second] - atoms.positions[found.first]
    np.testing.assert_allclose(found.shortest, images.lengths(between), atol=1e-9)


def test_a_flat_cell_and_a_position_that_is_no_number_are_refused():
    flat = Atoms("H", cell=[[1, 0, 0], [2, 0, 0], [0, 0, 1]], pbc=True)
    nowhere = Atoms("H", positions=[[np.nan, 0, 0]])
    for atoms, what in ((flat, "span no volume"), (nowhere, "no finite number")):
        structure = structure_of(atoms)
        with pytest.raises(InvalidInputError, match=what):
            find_pairs(structure, MinimumImage(structure.cell, structure.pbc), 3.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_points_in_a_cell_are_one_of_each_class(seed):
    counts = np.random.default_rng(seed).integers(-4, 5, size=(3, 3))
    counts[0, 0] += 5
    n = abs(round(np.linalg.det(counts)))
    assert n > 1
    points = points_in(counts)
    assert len(points) == n
    classes = {tuple(np.round((p @ np.linalg.inv(counts)) % 1.0, 6) % 1.0) for p in points}
    assert len(classes) == n


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_site_is_nearest_over_all_images(seed):
    random = np.random.default_rng(seed)
    cell = SKEWED if seed == 0 else random.normal(size=(3, 3)) * 5
    points, sites = random.uniform(-30, 30, (30, 3)), random.uniform(-30, 30, (3, 3))
    index, offsets = nearest_sites(points, sites, cell)
    images = MinimumImage(cell, PERIODIC)
    lengths = np.stack([images.lengths(points - site) for site in sites], axis=1)
    np.testing.assert_array_equal(index, lengths.argmin(axis=1))
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), lengths.min(axis=1), atol=1e-9)
