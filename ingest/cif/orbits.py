"""All sites of a unit cell, from those the file lists and the symmetry operations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.cif.block import CifError
from ingest.cif.gemmi_blocks import Operations
from ingest.cif.sites import Sites, check_total
from lake.structures.elements import SYMBOLS

# Nearer than this is the same place: coordinates such as 0.333 put images of one atom apart.
_SAME_PLACE_ANGSTROM = 0.03
_MOST_PAIRS = 200  # per site; more is a file of placeholders, whose pairs would fill the memory


@dataclass(frozen=True, eq=False)
class Expansion:
    """Sites of a unit cell.

    With n sites of k rows in the file:

    Attributes
    ----------
    fractional
        Shape (n, 3).
    place
        Row of the file that gave the position. Shape (n,).
    atom
        Row of the major species at the site: another than `place` where several share it.
        Shape (n,).
    occupancy
        Of the major species. Shape (n,).
    species
        Symbol and occupancy of every species at a place, by its row.
    """

    fractional: NDArray[np.float64]
    place: NDArray[np.int64]
    atom: NDArray[np.int64]
    occupancy: NDArray[np.float64]
    species: dict[int, dict[str, float]]


def expand(sites: Sites, operations: Operations, cell: NDArray[np.float64]) -> Expansion:
    """Apply the operations, merge what falls on one place, and gather the species there.

    Without symmetry coordinates stay as they are; else they are moved into 0 <= f < 1.

    Parameters
    ----------
    cell
        Cell vectors as rows. Shape (3, 3), Å.

    Raises
    ------
    CifError
        The species of a place do not go into one site.
    """
    fractional, place = _images(sites.fractional, operations, cell)
    together = _rows_together(fractional, place, cell, sites)
    rows = np.arange(len(sites.fractional))
    atom, occupancy = rows.copy(), sites.occupancy.copy()
    species: dict[int, dict[str, float]] = {}
    for first, members in together.items():
        species[first], atom[first], occupancy[first] = _mixed(sites, members)
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[[row for members in together.values() for row in members[1:]]] = False
    for row in np.flatnonzero(is_first).tolist():
        alone = {SYMBOLS[sites.numbers[row]]: float(sites.occupancy[row])}
        species.setdefault(row, alone)
    kept = is_first[place]
    place = place[kept]
    return Expansion(fractional[kept], place, atom[place], occupancy[place], species)


def _images(
    fractional: NDArray[np.float64], operations: Operations, cell: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distinct images of every row in the unit cell, and the row of each."""
    rows = np.arange(len(fractional))
    if len(operations.rotations) == 1:
        return fractional, rows
    images = np.einsum("oij,rj->roi", operations.rotations, fractional) + operations.translations
    images = _wrapped(images)
    is_new = np.stack([_is_first_there(orbit, cell) for orbit in images])
    return images[is_new], np.repeat(rows, is_new.sum(axis=1))


def _is_first_there(orbit: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.bool_]:
    apart = orbit[:, None] - orbit[None]
    near = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=2) < _SAME_PLACE_ANGSTROM
    first: NDArray[np.bool_] = ~np.tril(near, -1).any(axis=1)
    return first


def _rows_together(
    fractional: NDArray[np.float64],
    place: NDArray[np.int64],
    cell: NDArray[np.float64],
    sites: Sites,
) -> dict[int, list[int]]:
    """Rows at one place, by the first of them, where there is more than one."""
    first_of: dict[int, int] = {}
    for first, second in _pairs_of_rows(fractional, place, cell):
        first_of.setdefault(second, first_of.get(first, first))
    multiplicity = np.bincount(place)
    together: dict[int, list[int]] = {}
    for row, first in sorted(first_of.items()):
        if multiplicity[row] != multiplicity[first]:
            raise CifError(
                f"{sites.name(first)} and {sites.name(row)} are at one place, which symmetry "
                f"repeats {multiplicity[first]} and {multiplicity[row]} times. Give them the same "
                "coordinates"
            )
        together.setdefault(first, [first]).append(row)
    return together


def _pairs_of_rows(
    fractional: NDArray[np.float64], place: NDArray[np.int64], cell: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Pairs of rows with an image at the same place, the smaller first, in order."""
    from scipy.spatial import cKDTree

    tree = cKDTree(_wrapped(fractional), boxsize=1.0)
    # The longest a vector of that length can be in fractions of the cell.
    radius = min(_SAME_PLACE_ANGSTROM * np.linalg.norm(np.linalg.inv(cell), 2), 0.5)
    if tree.count_neighbors(tree, radius) > _MOST_PAIRS * len(fractional):
        raise CifError("has most of its sites at one place. Give every site its coordinates")
    pairs = tree.query_pairs(radius, output_type="ndarray")
    apart = fractional[pairs[:, 0]] - fractional[pairs[:, 1]]
    near = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=1) < _SAME_PLACE_ANGSTROM
    rows = np.sort(place[pairs[near]], axis=1)
    return sorted({(a, b) for a, b in rows.tolist() if a != b})


def _mixed(sites: Sites, rows: list[int]) -> tuple[dict[str, float], int, float]:
    """Species at a place, the row of the major one, and its occupancy."""
    species: dict[str, float] = {}
    for row in rows:
        symbol = SYMBOLS[sites.numbers[row]]
        species[symbol] = species.get(symbol, 0.0) + float(sites.occupancy[row])
    check_total(sum(species.values()), " and ".join(sites.name(row) for row in rows))
    most = max(species.values())
    major = [symbol for symbol, occupancy in species.items() if occupancy == most][-1]
    of_major = [row for row in rows if SYMBOLS[sites.numbers[row]] == major]
    return species, max(of_major, key=lambda row: sites.occupancy[row]), most


def _wrapped(fractional: NDArray[np.float64]) -> NDArray[np.float64]:
    wrapped = fractional % 1.0
    wrapped[wrapped >= 1.0] = 0.0  # what is left of a tiny negative number
    return wrapped
