"""A few numbers for each structure that are near each other where all its atoms are.

Each is a mean of one coordinate over some of the atoms, with weights that add up to one. So it
differs by no more than the coordinate that differs most, and a k-d tree over the signatures finds
every pair of near structures. It also finds others, which must be told apart atom by atom.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.predictions.ragged import offsets_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

N_GROUPS = 4
_GOLDEN = (5**0.5 - 1) / 2


def weighted_means(values: Floats, n_atoms: Integers) -> Floats:
    """Means over every fourth atom with uneven weights, so that no symmetry makes them equal.

    Parameters
    ----------
    values
        Shape (N, c).
    n_atoms
        Atoms of each structure, sum N, none of them 0. Shape (k,).

    Returns
    -------
    Floats
        Shape (k, 4 c).
    """
    starts = offsets_of(n_atoms)[:-1]
    atom = np.arange(len(values)) - np.repeat(starts, n_atoms)
    weight = 0.5 + 0.5 * ((atom + 1) * _GOLDEN % 1.0)
    means = []
    for group in range(N_GROUPS):
        mine = weight * (atom % N_GROUPS == group)
        total = np.add.reduceat(mine, starts)
        total[total == 0] = 1.0  # fewer atoms than groups
        means.append(np.add.reduceat(values * mine[:, None], starts) / total[:, None])
    return np.concatenate(means, axis=1)


def geometry_signatures(
    positions: Floats, n_atoms: Integers, cell: Floats, pbc: NDArray[np.bool_]
) -> Floats:
    """Signatures that lattice vectors added to atoms do not change.

    Parameters
    ----------
    positions
        Shape (N, 3), Å.
    n_atoms
        Shape (k,), sum N.
    cell
        Shape (k, 3, 3), Å.
    pbc
        Shape (k, 3).

    Returns
    -------
    Floats
        Number of atoms, cell, periodicity and weighted means. Shape (k, 37), Å.
    """
    inverse = np.linalg.inv(full_cells(cell, pbc))
    # Distance between the planes that the other two vectors span: Å per fractional coordinate.
    height = 1 / np.linalg.norm(inverse, axis=1)
    atom_of = np.repeat(np.arange(len(n_atoms)), n_atoms)
    fraction = np.einsum("ni,nij->nj", positions, inverse[atom_of])
    length, is_periodic = height[atom_of], pbc[atom_of]
    angle, scale = 2 * np.pi * fraction, length / (2 * np.pi)
    first = np.where(is_periodic, np.cos(angle) * scale, fraction * length)
    second = np.where(is_periodic, np.sin(angle) * scale, 0.0)
    means = weighted_means(np.concatenate((first, second), axis=1), n_atoms)
    scalars = (n_atoms[:, None].astype(np.float64), cell.reshape(-1, 9), pbc.astype(np.float64))
    return np.concatenate((*scalars, means), axis=1)


def full_cells(cell: Floats, pbc: NDArray[np.bool_]) -> Floats:
    """Cells of three independent vectors: those along which a structure is not periodic are made.

    Parameters
    ----------
    cell
        Shape (k, 3, 3), Å.
    pbc
        Shape (k, 3).
    """
    full = np.where(pbc[:, :, None], cell, 0.0)
    full[~pbc.any(axis=1)] = np.eye(3)
    for i in np.flatnonzero(pbc.any(axis=1) & ~pbc.all(axis=1)).tolist():
        full[i] = _completed(full[i])
    return full


def _completed(cell: Floats) -> Floats:
    from ase.geometry import complete_cell

    completed: Floats = complete_cell(cell)  # type: ignore[no-untyped-call]
    return completed
