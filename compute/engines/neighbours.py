"""Neighbours of every atom of a structure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from compute.engines.engine import Floats, Graph, Integers, OutOfMemoryError
from lake.errors import InvalidInputError

WIDEST_MOLECULE = 100.0  # Å
_FULL = ("allocate memory", "bad_alloc")  # how vesin says that memory ran out
SMALLEST_VOLUME = 1e-6  # of the box spanned by the unit vectors of a cell; below it is flat


def build_graph(
    numbers: Integers, positions: Floats, cell: Floats, pbc: NDArray[np.bool_], r_max: float
) -> Graph:
    """Find all pairs of atoms closer than `r_max`, in both directions.

    An atom is a neighbour of its own periodic images, never of itself. Atoms may lie outside of
    the cell, the cell may be smaller than the cutoff, and a molecule needs none.

    Parameters
    ----------
    numbers, positions, cell, pbc
        See `Graph`.
    r_max
        Å.

    Raises
    ------
    InvalidInputError
        A position is no number, or the structure is periodic along lattice vectors that span no
        volume.
    OutOfMemoryError
        There is no room for the neighbours.
    """
    if not np.isfinite(positions).all():
        atom = int(np.argmin(np.isfinite(positions).all(axis=1)))
        raise InvalidInputError(
            f"Atom {atom} is at {positions[atom].tolist()}: finite numbers are expected. "
            "Mend the structure where it came from."
        )
    points = np.ascontiguousarray(positions, np.float64)
    pairs, shifts = _search(points, full_cell(cell, pbc), pbc, r_max)
    return Graph(numbers, positions, cell, pbc, pairs, shifts)


def build_molecules(
    numbers: Sequence[Integers],
    positions: Sequence[Floats],
    cells: Sequence[Floats],
    r_max: float,
) -> list[Graph]:
    """The graphs of structures that are not periodic, found in one search.

    A search costs 60 µs beside its C code, more than a small molecule's neighbours: so molecules
    are lined up, too far apart to meet. The edges are those of `build_graph`, in another order.

    Parameters
    ----------
    numbers, positions, cells
        See `Graph`; finite, and none wider than `WIDEST_MOLECULE`.
    r_max
        Å.

    Raises
    ------
    OutOfMemoryError
        There is no room for the neighbours.
    """
    n_atoms = [len(each) for each in numbers]
    starts = np.concatenate(([0], np.cumsum(n_atoms)))
    row = np.concatenate(positions)
    lowest = np.minimum.reduceat(row, starts[:-1])
    widths = np.maximum.reduceat(row, starts[:-1])[:, 0] - lowest[:, 0] + 2 * r_max
    lowest[1:, 0] -= np.cumsum(widths)[:-1]
    row -= np.repeat(lowest, n_atoms, axis=0)
    not_periodic = np.zeros(3, np.bool_)
    pairs, _ = _search(row, np.eye(3), not_periodic, r_max)
    owner = np.repeat(np.arange(len(n_atoms)), n_atoms)[pairs[0]]
    pairs = np.take(pairs, np.argsort(owner, kind="stable"), axis=1)
    stops = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(n_atoms)))))
    return [
        Graph(
            numbers[i],
            positions[i],
            cells[i],
            not_periodic,
            pairs[:, start:stop] - starts[i],
            np.zeros((stop - start, 3)),
        )
        for i, (start, stop) in enumerate(pairwise(stops.tolist()))
    ]


def _search(
    points: Floats, box: Floats, pbc: NDArray[np.bool_], r_max: float
) -> tuple[Integers, Floats]:
    """Pairs of points, and the lattice vectors between them. Shapes (2, n), (n, 3)."""
    # It calls C through ctypes, which lets other threads run; matscipy does not and takes twice
    # as long.
    from vesin import NeighborList

    search = NeighborList(cutoff=r_max, full_list=True, n_threads=1)
    try:
        pairs, shifts = search.compute(
            points=points, box=box, periodic=pbc, quantities="PS", copy=False
        )
    except RuntimeError as error:
        if not any(text in str(error) for text in _FULL):
            raise InvalidInputError(
                f"Neighbours of {len(points)} atoms within {r_max:g} Å were not found: {error}. "
                "Atoms and a cell of usual sizes are expected. Mend the structure where it came "
                "from."
            ) from None
        raise OutOfMemoryError(f"Neighbours of {len(points)} atoms: {error}") from None
    # Copies, as what was found belongs to the search.
    return (
        np.ascontiguousarray(pairs.T, np.int64).reshape(2, -1),
        np.array(shifts, np.float64).reshape(-1, 3),
    )


def full_cell(cell: Floats, pbc: NDArray[np.bool_]) -> Floats:
    """The cell with unit vectors where it has none, so that it spans a volume. Shape (3, 3), Å.

    That of a molecule is of no interest and becomes a unit cube.

    Raises
    ------
    InvalidInputError
        The structure is periodic along a lattice vector that is zero, or lies in the plane or on
        the line of others.
    """
    if not pbc.any():
        return np.eye(3)
    given = cell.any(axis=1)
    full = cell.astype(np.float64)
    full[~given] = _across(cell[given])
    directions = full / np.linalg.norm(full, axis=1)[:, np.newaxis]
    volume = float(abs(np.linalg.det(directions)))
    if not volume > SMALLEST_VOLUME or (pbc & ~given).any():
        raise InvalidInputError(
            f"The structure has pbc {pbc.tolist()} and the cell {cell.tolist()}, whose vectors "
            "span no volume. A lattice vector is expected along every periodic direction. Mend the "
            "cell, or switch pbc off where the structure is not periodic."
        )
    return full


def _across(vectors: Floats) -> Floats:
    """Unit vectors at right angles to each other and to those given. Shape (3 - n, 3)."""
    if len(vectors) == 0:
        return np.eye(3)
    # The last rows of V span what the vectors do not.
    complement: Floats = np.linalg.svd(vectors)[2][len(vectors) :]
    return complement
