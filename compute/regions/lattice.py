"""A crystal lattice that fits a periodic cell, and its sites."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy.spatial import cKDTree

from compute.regions.structure import Floats, Integers

_NEAR = 1.2  # of the distance between nearest sites: the first two shells of bcc, one of others
_OPPOSITE = 0.2  # of that distance
_NAMES = {
    (14, True): "bcc",
    (12, True): "fcc",
    (12, False): "hcp",
    (6, True): "sc",
    (4, False): "diamond",
}


@dataclass(frozen=True, eq=False)
class Lattice:
    """A lattice whose translations include those of a cell.

    Attributes
    ----------
    vectors
        Primitive vectors as rows. Shape (3, 3), Å.
    basis
        Sites in one primitive cell. Shape (n_basis, 3), Å.
    numbers
        Atomic number each is meant for, 0 for any. Shape (n_basis,).
    cell
        The periodic cell. Shape (3, 3), Å.
    """

    vectors: Floats
    basis: Floats
    numbers: Integers
    cell: Floats

    @cached_property
    def counts(self) -> Integers:
        """The vectors of the cell in primitive vectors. Shape (3, 3)."""
        return np.round(self.cell @ np.linalg.inv(self.vectors)).astype(np.int64)

    @cached_property
    def sites(self) -> Floats:
        """All sites of the cell, a primitive cell after the other. Shape (n_sites, 3), Å."""
        corners = points_in(self.counts) @ self.vectors
        sites: Floats = (corners[:, np.newaxis] + self.basis).reshape(-1, 3)
        return sites

    @cached_property
    def site_numbers(self) -> Integers:
        """Atomic number each site is meant for, 0 for any. Shape (n_sites,)."""
        return np.tile(self.numbers, len(self.sites) // len(self.basis))

    @cached_property
    def spacing(self) -> float:
        """Distance between nearest sites, Å."""
        return float(min(np.linalg.norm(self._around(i), axis=1).min() for i in self._first))

    @cached_property
    def name(self) -> str:
        """bcc, fcc, hcp, sc or diamond, whatever the elements; else how many sites there are."""
        names = {_name(self._around(i), self.spacing) for i in self._first}
        name = names.pop() if len(names) == 1 else None
        return name or f"a crystal with {len(self.basis)} sites per primitive cell"

    def moved(self, shift: Floats) -> Lattice:
        """The same, all sites moved by a vector of shape (3,), in Å."""
        return Lattice(self.vectors, self.basis + shift, self.numbers, self.cell)

    @property
    def _first(self) -> range:
        """A few sites of the basis, which stand for all."""
        return range(min(len(self.basis), 8))

    def _around(self, site: int) -> Floats:
        """Vectors from a site of the basis to others; those to the nearest are all there."""
        reach = np.array(list(product(range(-2, 3), repeat=3))) @ self.vectors
        vectors = (reach[:, np.newaxis] + self.basis - self.basis[site]).reshape(-1, 3)
        found: Floats = vectors[np.einsum("ij,ij->i", vectors, vectors) > 1e-12]
        return found


def _name(vectors: Floats, spacing: float) -> str | None:
    """The lattice that has such neighbours: by their number, and whether each has an opposite."""
    near = vectors[np.linalg.norm(vectors, axis=1) < _NEAR * spacing]
    if not len(near):
        return None
    opposite = np.linalg.norm(near[:, np.newaxis] + near, axis=2).min(axis=1)
    return _NAMES.get((len(near), bool((opposite < _OPPOSITE * spacing).all())))


def points_in(counts: Integers) -> Integers:
    """The integer points in the cell spanned by integer vectors, each class once.

    Parameters
    ----------
    counts
        Vectors as rows. Shape (3, 3).

    Returns
    -------
    Shape (n, 3), where n is the magnitude of the determinant.
    """
    volume = round(float(np.linalg.det(counts)))
    adjugate = np.round(np.linalg.inv(counts) * volume).astype(np.int64)
    if volume < 0:
        volume, adjugate = -volume, -adjugate
    low = np.minimum(counts, 0).sum(axis=0)
    high = np.maximum(counts, 0).sum(axis=0)
    axes = [np.arange(a, b + 1) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = grid @ adjugate
    found: Integers = grid[((inside >= 0) & (inside < volume)).all(axis=1)]
    return found


def nearest_sites(points: Floats, sites: Floats, cell: Floats) -> tuple[Integers, Floats]:
    """The site nearest to each point of a periodic structure, and the vector from it to the point.

    Parameters
    ----------
    points, sites
        Shapes (n, 3) and (n_sites, 3), Å.
    cell
        Shape (3, 3), Å.

    Returns
    -------
    Indices of sites, and vectors in Å. Shapes (n,) and (n, 3).
    """
    inverse = np.linalg.inv(cell)
    # No point is further from a site than the cell is wide, and sites are spread over it.
    reach = 2 * (abs(np.linalg.det(cell)) / len(sites)) ** (1 / 3)
    while True:
        margin = reach * np.linalg.norm(inverse, axis=0)
        ranges = [np.arange(-int(np.ceil(m)), int(np.ceil(m)) + 1) for m in margin.tolist()]
        shifts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
        inside = (sites @ inverse) % 1.0
        images = (inside[:, np.newaxis] + shifts).reshape(-1, 3)
        kept = np.flatnonzero(((images > -margin) & (images < 1 + margin)).all(axis=1))
        wrapped = ((points @ inverse) % 1.0) @ cell
        places = images[kept] @ cell
        distance, index = cKDTree(places).query(wrapped)
        if distance.max(initial=0.0) <= reach:
            return kept[index] // len(shifts), wrapped - places[index]
        reach *= 2
