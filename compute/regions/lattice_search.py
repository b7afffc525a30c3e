"""Finding the lattice under a crystal with defects, whose atoms are displaced.

A translation of the lattice takes almost every atom close to another one. So the vectors between
atoms gather around translations, however they are oriented; the shortest three that span a cell
give the lattice up to noise, and the cell of the structure, which must be a multiple, gives it
exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
from scipy.spatial import cKDTree

from compute.regions.lattice import Lattice
from compute.regions.minimum_image import MinimumImage, reduce_lattice
from compute.regions.pairs import Pairs, find_pairs
from compute.regions.structure import Floats, Integers, NoRegionsError, Structure

# Lengths in units of the edge of the cube that one atom has to itself.
_REACH = 2.45  # the third vector of hcp is 1.83 long, that of Zn 2.0
_NEIGHBOURS = 1.45  # 14 in bcc, 12 in fcc and hcp
_TOLERANCE = 0.3  # vectors of hcp that are no translations are 0.65 apart
# Of atoms. A vector of hcp that is no translation has 0.5, one of fluorite 0.67; where every other
# site is a defect's neighbour, as in the smallest cells, translations have little more.
_LEAST_SUPPORT = (0.62, 0.8)
_MOST_SOURCES = 512
_SEED_ATOMS = 3
_ROUNDS = 5
_MOST_VECTORS = 24
_LEAST_MAJORITY = 0.7  # of the atoms on a site of the basis, to say which element it is meant for
_HALF = np.array([1.0, 0.1234, 0.0456])  # in no plane of a crystal's usual settings
_FEWEST_CELLS = 8  # that a lattice without a name must repeat
_WIDEST_SPACING = 6.0  # Å
_NAMED = ("bcc", "fcc", "hcp", "diamond", "sc")


def find_lattice(structure: Structure) -> Lattice:
    """The lattice that most atoms are on.

    Raises
    ------
    NoRegionsError
        There is none.
    InvalidInputError
        The cell spans no volume.
    """
    edge = float(abs(np.linalg.det(structure.cell)) / len(structure)) ** (1 / 3)
    if edge > _WIDEST_SPACING:
        raise NoRegionsError(f"no lattice: {edge**3:.0f} Å³ per atom are no crystal")
    images = MinimumImage(structure.cell, structure.pbc)
    reach = _REACH * edge
    pairs = find_pairs(structure, images, reach, _some(len(structure)))
    seeds = pairs.vectors[np.isin(pairs.first, _typical_atoms(pairs, edge))]
    seeds = seeds[seeds @ _HALF > 0]  # the opposite of a translation is one
    centres, support, same = _gather(pairs, seeds, structure.numbers, reach, _TOLERANCE * edge)
    # First those that take elements to themselves.
    for least, shares in product(_LEAST_SUPPORT, (same, support)):
        rough = _primitive(centres[shares >= least], edge)
        found = None if rough is None else _fitted(structure, rough, edge)
        if found is not None:
            return found
    raise NoRegionsError("no lattice: no three translations take most atoms to others")


def _some(n_atoms: int) -> Integers | None:
    """An evenly spread part of the atoms, where there are many; else None."""
    if n_atoms <= _MOST_SOURCES:
        return None
    return np.linspace(0, n_atoms - 1, _MOST_SOURCES).astype(np.int64)


def _typical_atoms(pairs: Pairs, edge: float) -> Integers:
    """A few atoms whose number of neighbours is the most frequent one."""
    sources = np.unique(pairs.first)
    counted = np.bincount(pairs.first[pairs.distance < _NEIGHBOURS * edge])
    counted = np.pad(counted, (0, int(sources.max(initial=-1)) + 1 - len(counted)))[sources]
    if not len(counted):
        raise NoRegionsError("no lattice: no atom has a neighbour")
    typical = sources[counted == np.argmax(np.bincount(counted))]
    chosen = np.linspace(0, len(typical) - 1, min(_SEED_ATOMS, len(typical))).astype(np.int64)
    found: Integers = typical[chosen]
    return found


def _gather(
    pairs: Pairs, seeds: Floats, numbers: Integers, reach: float, tolerance: float
) -> tuple[Floats, Floats, Floats]:
    """Where vectors between atoms gather, and the share of atoms that each takes to another.

    Returns
    -------
    Vectors in Å, shares, and shares where the other is of the same element. Shapes (n, 3), (n,)
    and (n,).
    """
    tree = cKDTree(pairs.vectors)
    centres = seeds
    for _ in range(_ROUNDS):  # each becomes the mean of what is close to it
        members = tree.query_ball_point(centres, tolerance)
        centres = np.array([pairs.vectors[each].mean(axis=0) for each in members])
        centres = centres[_distinct(centres, members, 0.5 * tolerance)]
    members = tree.query_ball_point(centres, tolerance)
    centres = centres[_distinct(centres, members, tolerance)]
    # Beyond the reach half of what gathers is missing, and the mean is off.
    centres = centres[np.linalg.norm(centres, axis=1) < reach - tolerance]
    members = tree.query_ball_point(centres, tolerance)
    is_same = numbers[pairs.first] == numbers[pairs.second]
    n_sources = len(np.unique(pairs.first))
    support, same = np.empty(len(centres)), np.empty(len(centres))
    for i, each in enumerate(members):
        support[i] = len(np.unique(pairs.first[each])) / n_sources
        same[i] = len(np.unique(pairs.first[each][is_same[each]])) / n_sources
    return centres, support, same


def _distinct(centres: Floats, members: Sequence[Sequence[int]], tolerance: float) -> list[int]:
    """Those that have none with more members close to them."""
    kept: list[int] = []
    for i in sorted(range(len(centres)), key=lambda i: -len(members[i])):
        if not kept or ((centres[kept] - centres[i]) ** 2).sum(axis=1).min() > tolerance**2:
            kept.append(i)
    return kept


def _primitive(translations: Floats, edge: float) -> Floats | None:
    """The three translations that span the smallest cell, the shortest of these; None if none."""
    order = np.argsort(np.linalg.norm(translations, axis=1), kind="stable")
    vectors = translations[order[:_MOST_VECTORS]]
    triples = np.array(list(combinations(range(len(vectors)), 3)), np.int64).reshape(-1, 3)
    volumes = np.abs(np.linalg.det(vectors[triples])) if len(triples) else np.empty(0)
    spans = volumes > 0.5 * edge**3
    if not spans.any():
        return None
    is_smallest = spans & (volumes < 1.3 * volumes[spans].min())
    squares = np.einsum("ij,ij->i", vectors, vectors)[triples].sum(axis=1)
    found: Floats = vectors[triples[np.argmin(np.where(is_smallest, squares, np.inf))]]
    return found


def _fitted(structure: Structure, rough: Floats, edge: float) -> Lattice | None:
    """The lattice near a rough one that fits the cell, if most atoms are on it."""
    vectors = divided(structure.cell, rough)
    if vectors is None or np.linalg.norm(vectors - rough, axis=1).max() > 0.5 * _TOLERANCE * edge:
        return None
    vectors = reduce_lattice(vectors)
    n_cells = round(abs(float(np.linalg.det(structure.cell) / np.linalg.det(vectors))))
    basis, numbers = _basis(structure, vectors, n_cells, _TOLERANCE * edge)
    if not len(basis) or abs(len(basis) * n_cells - len(structure)) > 0.25 * len(structure):
        return None
    lattice = Lattice(vectors, basis, numbers, structure.cell)
    if n_cells < _FEWEST_CELLS and lattice.name not in _NAMED:
        return None
    return lattice


def divided(cell: Floats, rough: Floats) -> Floats | None:
    """The primitive vectors near `rough` of which the cell is a multiple; None if there are none.

    Parameters
    ----------
    cell, rough
        Vectors as rows. Shape (3, 3), Å.
    """
    counts = np.round(cell @ np.linalg.inv(rough))
    if round(abs(float(np.linalg.det(counts)))) == 0:
        return None
    vectors: Floats = np.linalg.inv(counts) @ cell
    return vectors


def _basis(
    structure: Structure, vectors: Floats, n_cells: int, tolerance: float
) -> tuple[Floats, Integers]:
    """Where atoms gather when all primitive cells lie on each other, and their elements."""
    inverse = np.linalg.inv(vectors)
    left = np.ones(len(structure), bool)
    places: list[Floats] = []
    elements: list[int] = []
    while 4 * left.sum() > n_cells:  # fewer could not be half of a site's
        seed = int(np.argmax(left))
        left[seed] = False
        place, members = structure.positions[seed], np.empty(0, np.int64)
        for _ in range(3):
            offsets = structure.positions - place
            offsets -= np.round(offsets @ inverse) @ vectors
            members = np.flatnonzero(np.einsum("ij,ij->i", offsets, offsets) < tolerance**2)
            if not len(members):
                break
            place = place + offsets[members].mean(axis=0)
        if 2 * len(members) > n_cells and left[members].sum() + 1 > 0.5 * len(members):
            left[members] = False
            places.append(place)
            elements.append(majority(structure.numbers[members]))
    basis = np.array(places).reshape(-1, 3)
    return basis - np.floor(basis @ inverse) @ vectors, np.array(elements, np.int64)


def majority(numbers: Integers) -> int:
    """The element that most are of; 0 where none has a clear majority."""
    values, counts = np.unique(numbers, return_counts=True)
    best = int(np.argmax(counts))
    return int(values[best]) if counts[best] >= _LEAST_MAJORITY * len(numbers) else 0
