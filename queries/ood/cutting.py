"""Cutting structures into blocks of atoms that are read in one go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lake.latents.latent_layer import CHUNK_ROWS, SHARD_ROWS
from queries.ood.latent_places import Rows

# Where a block may end in an array, best first; the last is anywhere.
UNITS = (SHARD_ROWS, SHARD_ROWS // 2, SHARD_ROWS // 4, CHUNK_ROWS, 1)


def cut(n_atoms: Rows, offset: Rows, most: int) -> Iterator[tuple[int, int, Rows]]:
    """Cut structures into blocks of at most `most` atoms.

    Parameters
    ----------
    n_atoms, offset
        Of the structures, in the order in which they lie in arrays. Shape (n_structures,).
    most
        Blocks end with a shard of the array where they have room for one, else with a part of it.

    Yields
    ------
    The number of the first structure, how many of its atoms were in blocks before, and how many
    atoms of each structure are in the block.

    Examples
    --------
    >>> n_atoms, offset = np.array([3000, 1000, 6000]), np.array([0, 3000, 4000])
    >>> [(a, b, c.tolist()) for a, b, c in cut(n_atoms, offset, 5000)]
    [(0, 0, [3000, 1000, 96]), (2, 96, [4096]), (2, 4192, [1808])]
    """
    ends = np.cumsum(n_atoms, dtype=np.int64)
    begins = ends - n_atoms
    unit = next(rows for rows in UNITS if rows <= most)
    done = 0  # atoms
    while len(ends) and done < ends[-1]:
        stop = min(done + most, int(ends[-1]))
        last = int(np.searchsorted(ends, stop))
        if stop < ends[-1]:
            over = int(offset[last] + stop - begins[last]) % unit
            stop -= over if over < stop - done else 0
            last = int(np.searchsorted(ends, stop))
        first = int(np.searchsorted(ends, done, side="right"))
        among = slice(first, last + 1)
        yield (
            first,
            done - int(begins[first]),
            np.minimum(ends[among], stop) - np.maximum(begins[among], done),
        )
        done = stop
