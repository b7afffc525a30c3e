"""Structures of a lake as a torch dataset, streamed in random order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import IterableDataset, get_worker_info

from lake.epoch_order import buffer_random, epoch_order, shard_bounds
from lake.errors import InvalidInputError
from lake.labelled_rows import LabelledRows, choose_label_set
from lake.reader import Reader
from lake.row_buffer import buffers
from lake.selection import select_places
from lake.state import newest_state, read_state
from lake.storage import open_storage
from lake.structure_arrays import StructureArrays

BUFFER_BYTES = 128 * 2**20

GEOMETRY = ("n_atoms", "numbers", "positions", "cell", "pbc")

PER_ATOM = ("numbers", "positions", "forces")

UNPACKED = 512  # structures that are NumPy arrays at a time

Item = dict[str, Any]


class LakeDataset(IterableDataset[Any]):
    """Every structure of a selection once per epoch, in random order and with bounded memory.

    An item is a dict of tensors, for n atoms: ``structure_id`` (int64), ``numbers`` (int64, (n,)),
    ``positions`` (float64, (n, 3), Å), ``cell`` (float64, (3, 3), Å), ``pbc`` (bool, (3,)),
    ``energy`` (float64, eV), ``forces`` (float64, (n, 3), eV/Å) and ``stress`` (float64, (6,),
    eV/Å³, Voigt order, sign as in ASE). A label that is not known is NaN, so that all items have
    the same keys; where the lake has no labels at all the three keys are missing.

    The order depends on seed, epoch, ranks and workers alone. Row groups come in random order, and
    structures in random order out of a buffer that mixes several of them. Ranks and workers read
    disjoint shares; a rank's share is the same for any number of workers, and ranks differ by one
    structure at most.

    Parameters
    ----------
    uri, options
        The lake and what its object store needs.
    version
        Version of the lake, the newest by default. It stays that one, whatever others commit.
    where
        An SQL condition; see `lake.selection.select_places`.
    label_set
        Which labels; by default the only ones there are.
    columns
        Also these columns of structures, as plain values, e.g. ``("config_type",)``.
    seed, shuffle
        Seed of the order. Without shuffling structures come in the order of the files.
    buffer_bytes
        Room for the structures that are mixed, in bytes, in every worker. Beside them a worker
        holds the row groups it is reading, one of structures and two of labels (some 100 MB).
    rank, world_size
        This process among those that train together; by default what torch.distributed says, or
        the environment variables RANK and WORLD_SIZE, or one process alone.
    transform
        Applied to every item; what it returns is yielded.

    Raises
    ------
    InvalidInputError
        Nothing is selected, or a parameter is out of range.
    """

    def __init__(
        self,
        uri: str,
        options: Mapping[str, str] | None = None,
        version: int | None = None,
        where: str | None = None,
        *,
        label_set: str | None = None,
        columns: Sequence[str] = (),
        seed: int = 0,
        shuffle: bool = True,
        buffer_bytes: int = BUFFER_BYTES,
        rank: int | None = None,
        world_size: int | None = None,
        transform: Callable[[Item], Any] | None = None,
    ) -> None:
        storage = open_storage(uri, options)
        state = newest_state(storage) if version is None else read_state(storage, version)
        reader = Reader(storage, state)
        chosen = choose_label_set(reader, label_set)
        self.version = state.version
        self.rank, self.world_size = _place_in_world(rank, world_size)
        self._columns = tuple(columns)
        # The buffer holds what is mixed; a row group is needed again only by the next shard.
        self._rows = LabelledRows(
            reader, chosen, columns=(*GEOMETRY, *self._columns), cache_bytes=0
        )
        self._places = select_places(reader, self._rows.structures.index, where, label_set)
        if not len(self._places):
            raise InvalidInputError(
                f"No structure of {storage.uri} at version {state.version} fulfils {where!r}. "
                "Expected one or more. Try the condition in: atomlake sql "
                '"SELECT count(*) FROM structures WHERE …"'
            )
        self._seed = seed
        self._shuffle = shuffle
        self._buffer_bytes = buffer_bytes
        self._transform = transform
        # In shared memory, so that persistent workers learn of a new epoch too.
        self._epoch = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()

    def __len__(self) -> int:
        """Structures in this rank's share."""
        start, stop = shard_bounds(len(self._places), self.rank, self.world_size, 0, 1)
        return stop - start

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration; the same epoch gives the same order."""
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[Any]:
        for item in self._items():
            yield item if self._transform is None else self._transform(item)

    def _items(self) -> Iterator[Item]:
        epoch, index = int(self._epoch), self._rows.structures.index
        worker = get_worker_info()
        which, n_workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        order = self._places
        if self._shuffle:
            order = epoch_order(order, index, self._seed, epoch)
        start, stop = shard_bounds(len(order), self.rank, self.world_size, which, n_workers)
        random = buffer_random(self._seed, epoch, start)
        for structures, labels in buffers(
            self._rows, index.runs(order[start:stop]), self._buffer_bytes
        ):
            n = len(structures)
            mixed = random.permutation(n) if self._shuffle else np.arange(n)
            for first in range(0, n, UNPACKED):
                at = pa.array(mixed[first : first + UNPACKED])
                yield from self._unpack(
                    structures.take(at), None if labels is None else labels.take(at)
                )

    def _unpack(self, structures: pa.Table, labels: pa.Table | None) -> Iterator[Item]:
        arrays = StructureArrays.from_rows(structures, labels)
        per_structure = {
            "structure_id": structures["structure_id"].to_numpy(),
            "cell": arrays.cell,
            "pbc": arrays.pbc,
            "energy": arrays.energy,
            "stress": arrays.stress,
        }
        per_atom = {
            "numbers": arrays.numbers,
            "positions": arrays.positions,
            "forces": arrays.forces,
        }
        plain = {name: structures[name].to_pylist() for name in self._columns}
        for i, (start, stop) in enumerate(pairwise(arrays.offsets.tolist())):
            item: Item = {name: values[i] for name, values in plain.items()}
            for name, values in per_structure.items():
                if values is not None:
                    item[name] = torch.from_numpy(np.array(values[i]))
            for name, values in per_atom.items():
                if values is not None:
                    item[name] = torch.from_numpy(values[start:stop].copy())
            yield item


def collate(items: Sequence[Item]) -> Item:
    """One batch of b items with N atoms in all, for ``DataLoader(..., collate_fn=collate)``.

    ``numbers``, ``positions`` and ``forces`` are concatenated over atoms, shape (N, …); other
    tensors are stacked, shape (b, …); plain values become lists. ``batch`` tells which item every
    atom belongs to, shape (N,), and ``ptr`` where each begins, shape (b + 1,).
    """
    n_atoms = [len(item["numbers"]) for item in items]
    batch: Item = {
        # NumPy, because torch starts threads for this and then waits for them.
        "batch": torch.from_numpy(np.repeat(np.arange(len(items)), n_atoms)),
        "ptr": torch.from_numpy(np.concatenate(([0], np.cumsum(n_atoms)))),
    }
    for name in items[0]:
        values = [item[name] for item in items]
        if name in PER_ATOM:
            batch[name] = torch.cat(values)
        elif isinstance(values[0], torch.Tensor):
            batch[name] = torch.stack(values)
        else:
            batch[name] = values
    return batch


def _place_in_world(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Rank and number of ranks: as given, as torch.distributed says, or as the environment does."""
    if rank is None and world_size is None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        rank, world_size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if rank is None or world_size is None or not 0 <= rank < world_size:
        raise InvalidInputError(
            f"rank is {rank} and world_size {world_size}. Expected both, with "
            "0 <= rank < world_size. Give both, or set neither and use torch.distributed."
        )
    return rank, world_size
