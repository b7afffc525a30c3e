"""The order in which an epoch reads structures, and which of them go to which worker."""

from __future__ import annotations

import numpy as np

from lake.rows.row_index import Places, RowIndex

# Keeps the two uses of one seed apart: the order of an epoch, and what a worker makes of it.
_ORDER, _BUFFER = 0, 1


def epoch_order(places: Places, index: RowIndex, seed: int, epoch: int) -> Places:
    """All places of an epoch, row group by row group: groups shuffled, and rows within each.

    So a run of it opens few row groups, and yet no two epochs cut it into the same shards.
    """
    random = np.random.default_rng((seed, epoch, _ORDER))
    groups = index.group_of(places)
    rank = random.permutation(len(index.groups))
    return places[np.lexsort((random.random(len(places)), rank[groups]))]


def shard_bounds(
    n: int, rank: int, world_size: int, worker: int, n_workers: int
) -> tuple[int, int]:
    """First and last + 1 of what one worker of one rank reads of n structures.

    Ranks differ by one structure at most, and a rank's share does not depend on its workers.

    Examples
    --------
    >>> [shard_bounds(10, rank, 2, worker, 2) for rank in (0, 1) for worker in (0, 1)]
    [(0, 2), (2, 5), (5, 7), (7, 10)]
    """
    start, stop = n * rank // world_size, n * (rank + 1) // world_size
    share = stop - start
    return start + share * worker // n_workers, start + share * (worker + 1) // n_workers


def buffer_random(seed: int, epoch: int, first: int) -> np.random.Generator:
    """Random numbers for the buffer of the shard that begins at `first`."""
    return np.random.default_rng((seed, epoch, _BUFFER, first))
