"""Reading latents of structures from the arrays they lie in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lake.errors import CorruptLakeError
from lake.latents.latent_reader import open_array
from lake.storage.storage import Storage
from queries.ood.latent_places import Rows

MOST_ROWS_AT_ONCE = 65_536  # of one read that passes over rows nobody asked for

Latents = NDArray[np.float32]


class LatentArrays:
    """Arrays of a lake, each opened when it is first read.

    Parameters
    ----------
    stores
        Their paths. Rows are asked for by the number of the array in them.
    """

    def __init__(self, storage: Storage, stores: tuple[str, ...]) -> None:
        self._storage = storage
        self._stores = stores
        self._opened: dict[int, Any] = {}

    def read(self, store: Rows, start: Rows, n_rows: Rows, room: Latents) -> None:
        """Runs of rows into `room`, one after the other: in few reads, each from front to back.

        Parameters
        ----------
        store, start, n_rows
            The array, the first row in it and the number of rows of each run. Shape (n_runs,).
        room
            Shape (sum of n_rows, n_features).

        Raises
        ------
        CorruptLakeError
            An array is missing, or ends before the rows.
        """
        follows = (store[1:] == store[:-1]) & (start[1:] == start[:-1] + n_rows[:-1])
        heads = np.flatnonzero(np.concatenate(([True], ~follows)))
        counts = np.add.reduceat(n_rows, heads)
        if len(heads) == 1:
            self._read_rows(int(store[0]), int(start[0]), room)
            return
        into = np.cumsum(counts) - counts
        runs = np.stack([store[heads], start[heads], start[heads] + counts, into])
        runs = runs[:, np.lexsort((runs[1], runs[0]))]
        for group in np.split(np.arange(runs.shape[1]), self._breaks(runs)):
            number, low, high, target = runs[:, group]
            rows = np.empty((int(high[-1] - low[0]), room.shape[1]), np.float32)
            self._read_rows(int(number[0]), int(low[0]), rows)
            for a, b, t in zip(low - low[0], high - low[0], target, strict=True):
                room[t : t + b - a] = rows[a:b]

    def _breaks(self, runs: Rows) -> Rows:
        """Where a read of its own begins: after a chunk in which nothing is asked for."""
        number, low, high, _ = runs
        chunk = int(self._array(int(number[0])).chunks[0])
        is_near = (number[1:] == number[:-1]) & (low[1:] // chunk <= (high[:-1] - 1) // chunk + 1)
        breaks, begins = [], int(low[0])
        for i, near in enumerate(is_near, 1):
            if not near or high[i] - begins > MOST_ROWS_AT_ONCE:
                breaks.append(i)
                begins = int(low[i])
        return np.array(breaks, np.int64)

    def _read_rows(self, number: int, low: int, room: Latents) -> None:
        from zarr.buffer.cpu import NDBuffer

        array = self._array(number)
        high = low + len(room)
        if high > array.shape[0]:
            raise CorruptLakeError(
                f"{self._storage.url(self._stores[number])} has {array.shape[0]} rows; "
                f"pointers name rows to {high}. Expected all of them. Run 'atomlake check'."
            )
        if array.dtype == room.dtype:
            array.get_basic_selection(slice(low, high), out=NDBuffer.from_numpy_array(room))
        else:
            room[:] = array[low:high]

    def _array(self, number: int) -> Any:
        if number not in self._opened:
            self._opened[number] = open_array(self._storage, self._stores[number])
        return self._opened[number]
