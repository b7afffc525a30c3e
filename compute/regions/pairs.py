"""Distances between neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from compute.engines.neighbours import full_cell
from compute.regions.minimum_image import MinimumImage
from compute.regions.structure import Floats, Integers, Structure
from lake.errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of atoms closer than a cutoff, each image of an atom by itself, in both directions.

    Attributes
    ----------
    first, second
        Indices of atoms. Shape (n_pairs,).
    vectors
        From the first to that image of the second. Shape (n_pairs, 3), Å.
    distance
        Their lengths. Shape (n_pairs,), Å.
    shortest
        The shortest distance between the two atoms over all images; 0 for an atom and its own.
        Shape (n_pairs,), Å.
    """

    first: Integers
    second: Integers
    vectors: Floats
    distance: Floats
    shortest: Floats


def find_pairs(
    structure: Structure,
    images: MinimumImage,
    cutoff: float,
    sources: Integers | None = None,
) -> Pairs:
    """The pairs within a cutoff.

    Parameters
    ----------
    cutoff
        Å.
    sources
        Only pairs whose first atom is one of these; all by default.

    Raises
    ------
    InvalidInputError
        A position is no number, or the structure is periodic along lattice vectors that span no
        volume.
    """
    if not np.isfinite(structure.positions).all():
        raise InvalidInputError("A position is no finite number: no neighbours can be found.")
    full_cell(structure.cell, structure.pbc)  # refuses one that is flat
    structure = _wrapped(structure)
    owner, points = _points_in_reach(structure, cutoff)
    if sources is None:
        sources = np.arange(len(structure))
    found = cKDTree(structure.positions[sources]).sparse_distance_matrix(
        cKDTree(points), cutoff, output_type="ndarray"
    )
    first, second = sources[found["i"]], owner[found["j"]]
    is_other = found["j"] != first  # the points begin with the atoms themselves
    first, second = first[is_other], second[is_other]
    vectors = points[found["j"][is_other]] - structure.positions[first]
    distance = found["v"][is_other]
    shortest = distance
    if images.shortest <= 2 * cutoff:  # else no two images of an atom are in reach
        _, pair = np.unique(first * len(structure) + second, return_inverse=True)
        least = np.full(int(pair.max(initial=-1)) + 1, np.inf)
        np.minimum.at(least, pair, distance)
        shortest = np.where(first == second, 0.0, least[pair])
    return Pairs(first, second, vectors, distance, shortest)


def _wrapped(structure: Structure) -> Structure:
    """The structure with every atom in the cell, so that few images of it are in reach."""
    vectors = structure.cell[structure.pbc]
    outside = np.floor(structure.positions @ np.linalg.pinv(vectors))
    return replace(structure, positions=structure.positions - outside @ vectors)


def _points_in_reach(structure: Structure, cutoff: float) -> tuple[Integers, Floats]:
    """The atoms and those of their images that may be within a cutoff of any of them.

    Returns
    -------
    Which atom each is, and where. Shapes (n,) and (n, 3), Å. The atoms themselves come first.
    """
    positions = structure.positions
    owner = np.arange(len(positions))
    if not structure.pbc.any() or not len(positions):
        return owner, positions
    vectors = structure.cell[structure.pbc]
    inverse = np.linalg.pinv(vectors)  # to coordinates along the periodic directions
    margin = cutoff * np.linalg.norm(inverse, axis=0) + 1e-9
    places = positions @ inverse
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
    shifts = np.zeros((len(positions), len(vectors)))
    for axis in range(len(vectors)):
        n = int(np.ceil(high[axis] - low[axis] - margin[axis])) - 1
        steps = np.arange(-n, n + 1)
        moved = (places[owner] + shifts)[:, axis] + steps[:, np.newaxis]
        step, point = np.nonzero((moved > low[axis]) & (moved < high[axis]))
        owner, shifts = owner[point], shifts[point]
        shifts[:, axis] = steps[step]
    first = np.argsort(shifts.any(axis=1), kind="stable")
    owner, shifts = owner[first], shifts[first]
    return owner, positions[owner] + shifts @ vectors
