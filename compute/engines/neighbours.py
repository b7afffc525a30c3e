"""Neighbours of every atom of a structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compute.engines.engine import Floats, Graph, Integers
from lake.errors import InvalidInputError

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
    """
    # It calls C through ctypes, which lets other threads run; matscipy does not and takes twice
    # as long.
    from vesin import NeighborList

    if not np.isfinite(positions).all():
        atom = int(np.argmin(np.isfinite(positions).all(axis=1)))
        raise InvalidInputError(
            f"Atom {atom} is at {positions[atom].tolist()}: finite numbers are expected. "
            "Mend the structure where it came from."
        )
    search = NeighborList(cutoff=r_max, full_list=True, n_threads=1)
    pairs, shifts = search.compute(
        points=np.ascontiguousarray(positions, np.float64),
        box=full_cell(cell, pbc),
        periodic=pbc,
        quantities="PS",
        copy=False,
    )
    return Graph(
        numbers,
        positions,
        cell,
        pbc,
        # Copies, as what was found belongs to the search.
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
