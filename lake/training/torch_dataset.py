"""Structures of a lake as a torch dataset, streamed in random order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import IterableDataset, get_worker_info

from lake.errors import InvalidInputError
from lake.log.state import newest_state, read_state
from lake.reader import Reader
from lake.rows.labelled_rows import LabelledRows, choose_label_set
from lake.rows.selection import select_places
from lake.storage.storage import open_storage
from lake.training.epoch_order import buffer_random, epoch_order, shard_bounds
from lake.training.row_buffer import buffers
from lake.training.torch_items import Item, collate, unpack
from lake.training.world_place import WorldPlace

__all__ = ["LakeDataset", "collate"]

BUFFER_BYTES = 128 * 2**20

GEOMETRY = ("n_atoms", "numbers", "positions", "cell", "pbc")

UNPACKED = 512  # structures that are NumPy arrays at a time


class LakeDataset(IterableDataset[Any]):
    """Every structure of a selection once per epoch, in random order and with bounded memory.

    An item is a dict of tensors, for n atoms: ``structure_id`` (int64), ``numbers`` (int64, (n,)),
    ``positions`` (float64, (n, 3), Å), ``cell`` (float64, (3, 3), Å), ``pbc`` (bool, (3,)),
    ``energy`` (float64, eV), ``forces`` (float64, (n, 3), eV/Å) and ``stress`` (float64, (6,),
    eV/Å³, Voigt order, sign as in ASE). A label that is not known is NaN, so that all items have
    the same keys; where the lake has no labels at all the three keys are missing.

    The order depends on `seed`, epoch, number of ranks, number of workers, `buffer_bytes` and the
    layout of the files, which a version of the lake never changes and ``optimize`` does. Row
    groups come in random order, and structures in random order out of a buffer that mixes several
    of them. Ranks and workers read disjoint shares; a rank's share is the same for any number of
    workers. Ranks differ by one structure at most; see `drop_uneven`.

    Every worker makes batches of its own share, and the last of each may be short: a loader with w
    workers may give up to w - 1 batches more than its ``len``, or with ``drop_last`` fewer. A lake
    in an object store needs ``multiprocessing_context="forkserver"`` (or "spawn") in the loader,
    because obstore does not survive a fork.

    Parameters
    ----------
    uri, options
        The lake and what its object store needs.
    version
        Version of the lake, the newest by default. It stays that one, whatever others commit.
    where
        An SQL condition; see `lake.rows.selection.select_places`.
    label_set
        Which labels; by default the only ones there are.
    columns
        Also these columns of structures, as plain values, e.g. ``("config_type",)``.
    seed, shuffle
        Seed of the order, 0 or more. Without shuffling structures come in the order of the files.
    buffer_bytes
        Room for the structures that are mixed, in bytes, in every worker. Beside them a worker
        holds the row groups it is reading, one of structures and two of labels (some 100 MB).
    rank, world_size
        This process among those that train together; by default what torch.distributed says, or
        the environment variables RANK and WORLD_SIZE, or one process alone, when an iteration
        starts; so torch.distributed may be initialised after the dataset is made.
    drop_uneven
        Give every rank the same number of structures: leave out what is left over, fewer than
        `world_size`, and with shuffling others in every epoch. Without it some ranks have one
        structure more, and a training that waits for all ranks in each step may wait forever.
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
        drop_uneven: bool = False,
        transform: Callable[[Item], Any] | None = None,
    ) -> None:
        _check_least("seed", seed, 0)
        _check_least("buffer_bytes", buffer_bytes, 1)
        self._world = WorldPlace(rank, world_size)
        storage = open_storage(uri, options)
        state = newest_state(storage) if version is None else read_state(storage, version)
        reader = Reader(storage, state)
        chosen = choose_label_set(reader, label_set)
        self.version = state.version
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
        self._drop_uneven = drop_uneven
        self._seed = seed
        self._shuffle = shuffle
        self._buffer_bytes = buffer_bytes
        self._transform = transform
        # In shared memory, so that persistent workers learn of a new epoch too.
        self._epoch = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()

    @property
    def rank(self) -> int:
        """Place of this process among those that train together, as it is known now."""
        return self._world.find()[0]

    @property
    def world_size(self) -> int:
        """How many processes train together, as it is known now."""
        return self._world.find()[1]

    def __len__(self) -> int:
        """Structures in this rank's share."""
        start, stop = self._share(0, 1)
        return stop - start

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration; the same epoch gives the same order.

        Raises
        ------
        InvalidInputError
            The epoch is negative.
        """
        _check_least("epoch", epoch, 0)
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
        start, stop = self._share(which, n_workers)
        random = buffer_random(self._seed, epoch, start)
        for structures, labels in buffers(
            self._rows, index.runs(order[start:stop]), self._buffer_bytes
        ):
            n = len(structures)
            mixed = random.permutation(n) if self._shuffle else np.arange(n)
            for first in range(0, n, UNPACKED):
                at = pa.array(mixed[first : first + UNPACKED])
                taken = None if labels is None else labels.take(at)
                yield from unpack(structures.take(at), taken, self._columns)

    def _share(self, worker: int, n_workers: int) -> tuple[int, int]:
        n, (rank, world_size) = len(self._places), self._world.find()
        if self._drop_uneven:
            n -= n % world_size
            if not n:
                raise InvalidInputError(
                    f"{len(self._places)} structures are selected for {world_size} ranks. Expected "
                    "one for each rank or more. Select more, or leave drop_uneven out."
                )
        return shard_bounds(n, rank, world_size, worker, n_workers)


def _check_least(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int | np.integer) or value < least:
        raise InvalidInputError(
            f"{name} is {value!r}. Expected a whole number, {least} or more. Give another."
        )
