"""Distances to the nearest vectors of a set, where no structure is a neighbour of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

ROWS_AT_ONCE = 1024
MORE = 8  # candidates beyond those wanted, because they are found with rounding


def nearest_distances(
    vectors: npt.NDArray[np.float64],
    identities: npt.NDArray[np.int64],
    known: npt.NDArray[np.float64],
    known_identities: npt.NDArray[np.int64],
    n_neighbours: int,
) -> npt.NDArray[np.float64]:
    """Euclidean distances to the nearest known vectors, the nearest first.

    Candidates are found by matrix products, where small distances of long vectors drown in
    rounding; the distances of the candidates are then taken anew from the differences.

    Parameters
    ----------
    vectors
        Shape (n_vectors, n_features).
    identities
        The structure of each vector. A known vector of the same structure is left out, however
        near or far; another structure at distance 0 is not.
    n_neighbours
        Less than the number of known vectors.

    Returns
    -------
    Shape (n_vectors, n_neighbours).
    """
    centre = known.mean(axis=0)
    around, known_around = vectors - centre, known - centre
    lengths = np.einsum("ij,ij->i", known_around, known_around)
    found = np.empty((len(vectors), n_neighbours))
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        itself = identities[block, None] == known_identities[None, :]
        nearness = np.where(itself, np.inf, lengths - 2 * around[block] @ known_around.T)
        n_candidates = min(n_neighbours + MORE, len(known))
        candidates = np.argpartition(nearness, n_candidates - 1, axis=1)[:, :n_candidates]
        distances = np.linalg.norm(around[block, None] - known_around[candidates], axis=2)
        distances[np.take_along_axis(itself, candidates, axis=1)] = np.inf
        found[block] = np.sort(distances, axis=1)[:, :n_neighbours]
    return found
