"""Latents of all members of an ensemble, atom by atom side by side, in blocks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lake.errors import CorruptLakeError
from lake.latents.latent_reader import open_array
from lake.storage.storage import Storage

if TYPE_CHECKING:
    import polars as pl

MEBIBYTE = 2**20
FLOAT_BYTES = 4
# A block is held while the next one is read, and what is read is decoded from something.
COPIES = 3
LEAST_ROWS = 4_096
MOST_ROWS_AT_ONCE = 65_536  # of one read that passes over rows nobody asked for

Rows = NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Places:
    """Where the latents of structures lie, in the order in which they are read.

    Attributes
    ----------
    structure_ids, n_atoms
        Shape (n_structures,).
    stores
        Paths of arrays.
    store, offset
        Number of the array in `stores`, and the first row in it. Shape (n_members, n_structures).
    n_features
        Width of the latents.
    """

    structure_ids: Rows
    n_atoms: Rows
    stores: tuple[str, ...]
    store: Rows
    offset: Rows
    n_features: int

    @classmethod
    def from_pointers(cls, pointers: pl.DataFrame, model_ids: tuple[int, ...]) -> Places:
        """The places of structures that every member has latents of.

        Parameters
        ----------
        pointers
            ``structure_id``, ``model_id``, ``store``, ``offset``, ``n_atoms``, ``n_features``.
        model_ids
            The members. The latents of the first are read in the order in which they lie.
        """
        stores = pointers["store"].unique().sort()
        numbers = dict(zip(stores, range(len(stores)), strict=True))
        first = pointers.filter(model_id=model_ids[0]).sort("store", "offset")
        order = first.select("structure_id")
        places = [
            order.join(
                pointers.filter(model_id=model_id),
                on="structure_id",
                how="left",
                maintain_order="left",
            ).select(pl_number("store", numbers), "offset")
            for model_id in model_ids
        ]
        return cls(
            order["structure_id"].to_numpy(),
            first["n_atoms"].cast(int).to_numpy(),
            tuple(stores),
            np.stack([each["store"].to_numpy() for each in places]),
            np.stack([each["offset"].to_numpy() for each in places]),
            int(first["n_features"][0]),
        )


def pl_number(column: str, numbers: dict[str, int]) -> pl.Expr:
    """The number that stands for each text of a column."""
    import polars as pl

    return pl.col(column).replace_strict(numbers, return_dtype=pl.Int64)


@dataclass(frozen=True, eq=False)
class Block:
    """Atoms that follow each other, with the latents of every member.

    Attributes
    ----------
    first
        Number of the structure of the first atom, in `Places`.
    n_atoms
        Atoms of each structure from there on that are in the block. Shape (n_structures,).
    is_whole
        Whether the last structure ends with the block.
    latents
        One array per member, float32. Shape (n_rows, n_features).
    """

    first: int
    n_atoms: Rows
    is_whole: bool
    latents: tuple[NDArray[np.float32], ...]


def read_blocks(storage: Storage, places: Places, memory_mib: int) -> Iterator[Block]:
    """The latents of all members in blocks; the next block is read while one is worked on.

    Structures stay whole, unless one alone is larger than a block.

    Parameters
    ----------
    memory_mib
        Room for latents, in MiB; what the libraries take comes on top.

    Raises
    ------
    CorruptLakeError
        An array is missing, or shorter than the pointers say.
    """
    n_members = len(places.store)
    row_bytes = n_members * places.n_features * FLOAT_BYTES
    block_rows = max(memory_mib * MEBIBYTE // (COPIES * row_bytes), LEAST_ROWS)
    arrays = _Arrays(storage, places)
    return _ahead(_blocks(places, arrays, block_rows))


def _blocks(places: Places, arrays: _Arrays, block_rows: int) -> Iterator[Block]:
    for first, skip, n_atoms in cut(places.n_atoms, block_rows):
        among = slice(first, first + len(n_atoms))
        is_whole = skip + n_atoms[-1] == places.n_atoms[among][-1]
        starts = places.offset[:, among].copy()
        starts[:, 0] += skip
        latents = tuple(
            arrays.read(store, start, n_atoms)
            for store, start in zip(places.store[:, among], starts, strict=True)
        )
        yield Block(first, n_atoms, bool(is_whole), latents)


def cut(n_atoms: Rows, most: int) -> Iterator[tuple[int, int, Rows]]:
    """Cut structures into blocks of at most `most` atoms.

    Yields
    ------
    The number of the first structure, how many of its atoms were in blocks before, and how many
    atoms of each structure are in the block.

    Examples
    --------
    >>> [(a, b, c.tolist()) for a, b, c in cut(np.array([2, 1, 5, 1]), 3)]
    [(0, 0, [2, 1]), (2, 0, [3]), (2, 3, [2, 1])]
    """
    ends = np.cumsum(n_atoms, dtype=np.int64)
    done = 0  # atoms
    while len(ends) and done < ends[-1]:
        first = int(np.searchsorted(ends, done, side="right"))
        skip = done - int(ends[first] - n_atoms[first])
        stop = int(np.searchsorted(ends, done + most, side="right"))
        if stop == first:  # the structure alone is larger
            part = np.array([most], np.int64)
        else:
            part = n_atoms[first:stop].astype(np.int64)
            part[0] -= skip
        yield first, skip, part
        done += int(part.sum())


class _Arrays:
    """The arrays that latents lie in, each opened when it is first read."""

    def __init__(self, storage: Storage, places: Places) -> None:
        self._storage = storage
        self._places = places
        self._opened: dict[int, Any] = {}

    def read(self, store: Rows, start: Rows, n_rows: Rows) -> NDArray[np.float32]:
        """Runs of rows, one after the other: in few reads, each from front to back."""
        follows = (store[1:] == store[:-1]) & (start[1:] == start[:-1] + n_rows[:-1])
        heads = np.flatnonzero(np.concatenate(([True], ~follows)))
        counts = np.add.reduceat(n_rows, heads)
        if len(heads) == 1:
            return self._rows(int(store[0]), int(start[0]), int(start[0] + counts[0]))
        into = np.cumsum(counts) - counts
        latents = np.empty((int(counts.sum()), self._places.n_features), np.float32)
        runs = np.stack([store[heads], start[heads], start[heads] + counts, into])
        runs = runs[:, np.lexsort((runs[1], runs[0]))]
        for group in np.split(np.arange(runs.shape[1]), self._breaks(runs)):
            number, low, high, target = runs[:, group]
            rows = self._rows(int(number[0]), int(low[0]), int(high[-1]))
            for a, b, t in zip(low - low[0], high - low[0], target, strict=True):
                latents[t : t + b - a] = rows[a:b]
        return latents

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

    def _rows(self, number: int, low: int, high: int) -> NDArray[np.float32]:
        array = self._array(number)
        if high > array.shape[0]:
            raise CorruptLakeError(
                f"{self._storage.url(self._places.stores[number])} has {array.shape[0]} rows; "
                f"pointers name rows to {high}. Expected all of them. Run 'atomlake check'."
            )
        return np.ascontiguousarray(array[low:high], np.float32)

    def _array(self, number: int) -> Any:
        if number not in self._opened:
            self._opened[number] = open_array(self._storage, self._places.stores[number])
        return self._opened[number]


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; the next one is made in a thread while one is used."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item
