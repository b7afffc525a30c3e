"""Latents of all members of an ensemble, atom by atom side by side, in blocks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from typing import TypeVar

import numpy as np

from lake.latents.latent_layer import CHUNK_ROWS
from lake.storage.storage import Storage
from queries.ood.cutting import cut
from queries.ood.latent_arrays import LatentArrays, Latents
from queries.ood.latent_places import Places, Rows

MEBIBYTE = 2**20
FLOAT_BYTES = 4
# A block is held while the next one is read, and what is read is decoded from something.
HELD = 2
COPIES = HELD + 1
LEAST_ROWS = CHUNK_ROWS

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Block:
    """Atoms that follow each other, with the latents of every member.

    Attributes
    ----------
    first
        Number of the structure of the first atom, in `Places`; blocks before may hold some of it.
    n_atoms
        Atoms of each structure from there on that are in the block. Shape (n_structures,).
    is_whole
        Whether the last structure ends with the block; if not, the next block goes on with it.
    latents
        One array per member, float32. Shape (n_rows, n_features). Other latents stand there once
        the next block is asked for.
    """

    first: int
    n_atoms: Rows
    is_whole: bool
    latents: tuple[Latents, ...]


def read_blocks(storage: Storage, places: Places, memory_mib: int) -> Iterator[Block]:
    """The latents of all members in blocks; the next block is read while one is worked on.

    Blocks end where shards of the first member do, so that no shard is read in two parts that each
    cut chunks. A structure may lie in two blocks, or in more.

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
    arrays = LatentArrays(storage, places.stores)
    return _ahead(_blocks(places, arrays, block_rows))


def _blocks(places: Places, arrays: LatentArrays, block_rows: int) -> Iterator[Block]:
    # Memory that was used before is there: to be given new memory costs as much as decoding does.
    shape = (len(places.store), min(block_rows, int(places.n_atoms.sum())), places.n_features)
    rooms = cycle([np.empty(shape, np.float32) for _ in range(HELD)])
    for first, skip, n_atoms in cut(places.n_atoms, places.offset[0], block_rows):
        among = slice(first, first + len(n_atoms))
        is_whole = (skip if len(n_atoms) == 1 else 0) + n_atoms[-1] == places.n_atoms[among][-1]
        starts = places.offset[:, among].copy()
        starts[:, 0] += skip
        latents = next(rooms)[:, : n_atoms.sum()]
        for store, start, room in zip(places.store[:, among], starts, latents, strict=True):
            arrays.read(store, start, n_atoms, room)
        yield Block(first, n_atoms, bool(is_whole), tuple(latents))


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; the next one is made in a thread while one is used."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item
