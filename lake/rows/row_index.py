"""Where the row of each structure lies in the data files of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from lake.log.data_files import DataFile
from lake.rows.row_groups import RowGroup, open_parquet
from lake.storage.storage import Storage

Places = NDArray[np.int64]


class RowIndex:
    """From structure_id to *place*: the number of a row, counted through the files by path.

    Making it reads the column structure_id and nothing else; it keeps 16 bytes for every row.

    Parameters
    ----------
    name
        The table.
    files
        Its data files, or those of some of its partitions.
    """

    def __init__(self, storage: Storage, name: str, files: Sequence[DataFile]) -> None:
        self.groups: list[RowGroup] = []
        self.partitions: list[dict[str, str]] = []
        sizes, ids = [0], [np.empty(0, np.int64)]
        for file in sorted(files, key=lambda file: file.path):
            path = f"{name}/{file.path}"
            with open_parquet(storage, path) as parquet:
                ids.append(parquet.read(columns=["structure_id"])[0].to_numpy())
                metadata = parquet.metadata
            for number in range(metadata.num_row_groups):
                self.groups.append(RowGroup(path, number))
                self.partitions.append(dict(file.partition))
                sizes.append(metadata.row_group(number).num_rows)
        self.starts = np.cumsum(sizes, dtype=np.int64)
        unsorted = np.concatenate(ids)
        self._places = np.argsort(unsorted, kind="stable")
        self._ids = unsorted[self._places]
        datasets = pa.array([partition["dataset"] for partition in self.partitions], pa.string())
        self._datasets = pc.unique(datasets)
        self._dataset_of_group = self._codes(datasets)

    def __len__(self) -> int:
        return len(self._ids)

    def group_of(self, places: Places) -> NDArray[np.int64]:
        """Which of `groups` each place lies in, -1 for a place of -1. Shape (n,)."""
        return np.searchsorted(self.starts, places, side="right") - 1

    def ids_at(self, places: Places) -> NDArray[np.int64]:
        """The structure_id at each place. Shape (n,)."""
        by_place = np.empty_like(self._ids)
        by_place[self._places] = self._ids
        return by_place[places]

    def runs(self, places: Places) -> list[Places]:
        """Cut places into runs that lie in one row group each, in the same order."""
        if not len(places):
            return []
        return np.split(places, np.flatnonzero(np.diff(self.group_of(places))) + 1)

    def locate(self, ids: ArrayLike, datasets: pa.ChunkedArray | None = None) -> Places:
        """The place of each structure, -1 where there is none. Shape (n,).

        Parameters
        ----------
        ids
            Shape (n,).
        datasets
            Dataset of each, length n. Without them the first dataset that has a structure will
            do, since a structure_id stands for the content.
        """
        wanted = np.asarray(ids, np.int64)
        first = np.searchsorted(self._ids, wanted, side="left")
        stop = np.searchsorted(self._ids, wanted, side="right")
        places = np.full(len(wanted), -1, np.int64)
        if datasets is None:
            found = first < stop
            places[found] = self._places[first[found]]
            return places
        codes = self._codes(datasets)
        # A structure stands at most once in a dataset: as many rounds as datasets share one.
        for k in range(int((stop - first).max(initial=0))):
            left = np.flatnonzero((first + k < stop) & (places < 0))
            candidates = self._places[first[left] + k]
            equal = self._dataset_of_group[self.group_of(candidates)] == codes[left]
            places[left[equal]] = candidates[equal]
        return places

    def locate_one(self, identity: int, dataset: str | None = None) -> int:
        """The place of one structure, -1 where there is none: `locate` without its arrays."""
        at = int(self._ids.searchsorted(identity))
        while at < len(self._ids) and self._ids[at] == identity:
            place = int(self._places[at])
            if dataset is None or self.partitions[self.row_of(place)[0]]["dataset"] == dataset:
                return place
            at += 1
        return -1

    def row_of(self, place: int) -> tuple[int, int]:
        """Which of `groups` a place lies in, and the row in it."""
        group = int(self.starts.searchsorted(place, side="right")) - 1
        return group, place - int(self.starts[group])

    def _codes(self, datasets: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
        """A number for each dataset, -1 for one that no file belongs to. Shape (n,)."""
        codes = pc.index_in(datasets, value_set=self._datasets)
        return np.asarray(codes.fill_null(-1), np.int64)
