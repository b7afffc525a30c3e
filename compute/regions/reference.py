"""The lattice a structure should have: found in it, or given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from compute.regions.lattice import Lattice, nearest_sites
from compute.regions.lattice_search import divided, find_lattice, majority
from compute.regions.minimum_image import reduce_lattice
from compute.regions.structure import Floats, Integers, NoRegionsError, Structure

_MOST_STRAIN = 0.1  # of the vectors of the reference
_TOLERANCE = 0.3  # of the distance between sites
_ENOUGH = 0.75  # of the atoms on sites: no better place is looked for
_LEAST = 0.5
_SAMPLE = 8


@dataclass(frozen=True)
class FoundLattice:
    """Looks for the lattice in each structure; ``name`` refuses every other type."""

    name: str | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What to store with the regions."""
        return {"reference": "found" if self.name is None else f"found {self.name}"}

    def __call__(self, structure: Structure) -> Lattice:
        """The lattice that most atoms are on; NoRegionsError where there is none."""
        lattice = find_lattice(structure)
        if self.name is not None and lattice.name != self.name:
            raise NoRegionsError(f"the lattice is {lattice.name}, and {self.name} is expected")
        return lattice


@dataclass(frozen=True, eq=False)
class GivenLattice:
    """A crystal without defects, of which the cells of the structures are multiples.

    It may be moved as a whole and strained by a tenth, not turned.

    Attributes
    ----------
    label
        What it is called, or where it came from.
    cell
        Shape (3, 3), Å.
    positions
        Shape (n, 3), Å.
    numbers
        Atomic numbers, 0 for the element that most atoms on a site are of. Shape (n,).
    content
        A hash of these three, where the label does not say it all.
    """

    label: str
    cell: Floats
    positions: Floats
    numbers: Integers
    content: str | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What to store with the regions."""
        return {"reference": self.label if self.content is None else self.content}

    def __call__(self, structure: Structure) -> Lattice:
        """The sites of the reference in the cell of a structure, moved to where its atoms are.

        Raises
        ------
        NoRegionsError
            The cell is no multiple of that of the reference, or fewer than half of the atoms are
            near its sites.
        """
        if not abs(np.linalg.det(structure.cell)) > 0:
            raise NoRegionsError("no lattice: its cell spans no volume")
        vectors = divided(structure.cell, self.cell)
        if vectors is None or _strain(vectors, self.cell) > _MOST_STRAIN:
            raise NoRegionsError(f"its cell is no multiple of that of the reference {self.label}")
        basis = self.positions @ np.linalg.inv(self.cell) @ vectors
        reduced = reduce_lattice(vectors)
        basis -= np.floor(basis @ np.linalg.inv(reduced)) @ reduced
        lattice = Lattice(reduced, basis, self.numbers, structure.cell)
        lattice = self._moved(structure, lattice)
        return lattice if self.numbers.all() else _meant(structure, lattice)

    def _moved(self, structure: Structure, lattice: Lattice) -> Lattice:
        """The lattice where most atoms are near sites."""
        best, most = lattice, -1.0
        for shift in _shifts(structure, lattice):
            moved = lattice.moved(shift)
            _, offsets = nearest_sites(structure.positions, moved.sites, structure.cell)
            is_near = np.linalg.norm(offsets, axis=1) < _TOLERANCE * lattice.spacing
            if is_near.mean() > most:
                most = float(is_near.mean())
                best = moved.moved(offsets[is_near].mean(axis=0)) if is_near.any() else moved
            if most >= _ENOUGH:
                return best
        if most < _LEAST:
            raise NoRegionsError(
                f"not on the lattice: {most:.0%} of the atoms are near sites of the reference "
                f"{self.label}"
            )
        return best


def _strain(vectors: Floats, cell: Floats) -> float:
    """The largest relative change of any length from one cell to the other."""
    return float(np.linalg.norm(np.linalg.inv(cell) @ vectors - np.eye(3), ord=2))


def _shifts(structure: Structure, lattice: Lattice) -> Iterator[Floats]:
    """None, and those that put a site on an atom, for a few atoms."""
    yield np.zeros(3)
    n_atoms = len(structure)
    chosen = np.linspace(0, n_atoms - 1, min(_SAMPLE, n_atoms)).astype(np.int64)
    for atom, site in product(chosen.tolist(), lattice.basis):
        yield structure.positions[atom] - site


def _meant(structure: Structure, lattice: Lattice) -> Lattice:
    """The lattice with the element that most atoms on each site of the basis are of."""
    sites, _ = nearest_sites(structure.positions, lattice.sites, structure.cell)
    of_basis = sites % len(lattice.basis)
    meant = np.array(
        [
            majority(structure.numbers[of_basis == i]) if (of_basis == i).any() else 0
            for i in range(len(lattice.basis))
        ],
        np.int64,
    )
    return Lattice(lattice.vectors, lattice.basis, meant, lattice.cell)
