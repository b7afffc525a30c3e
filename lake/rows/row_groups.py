"""Row groups of data files, decoded when asked for and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from lake.rows.row_views import RowViews
from lake.storage.object_storage import ObjectStorage
from lake.storage.range_file import RangeFile
from lake.storage.storage import Storage, open_storage
from lake.storage.table_file import TableFile


class RowGroup(NamedTuple):
    """One row group of a data file: the file's path below the lake, its number in the file."""

    path: str
    number: int


class RowGroupCache:
    """Decoded row groups, about `max_bytes` of them; the least recently used goes first.

    The row group read last is always held, however large. Pickled, it is the place of the lake
    without anything read. Not for several threads at once: give each its own.
    """

    def __init__(self, storage: Storage, columns: Sequence[str], max_bytes: int) -> None:
        self._storage = storage
        self._columns = list(columns)
        self._max_bytes = max_bytes
        self._held: OrderedDict[RowGroup, RowViews] = OrderedDict()
        self.n_bytes = 0

    def __reduce__(self) -> tuple[Any, ...]:
        place = (self._storage.uri, dict(self._storage.options))
        return _open_cache, (*place, self._columns, self._max_bytes)

    def read(self, group: RowGroup) -> pa.Table:
        """The rows of a row group, with the columns of this cache. Partition columns are not."""
        return self.views(group).table

    def views(self, group: RowGroup) -> RowViews:
        """The same, for reading single rows."""
        if group in self._held:
            self._held.move_to_end(group)
            return self._held[group]
        with open_parquet(self._storage, group.path) as file:
            table = file.read_row_group(group.number, columns=self._columns)
        while self._held and self.n_bytes + table.nbytes > self._max_bytes:
            _, oldest = self._held.popitem(last=False)
            self.n_bytes -= oldest.table.nbytes
        self._held[group] = RowViews(table)
        self.n_bytes += table.nbytes
        return self._held[group]


def open_parquet(storage: Storage, path: str) -> TableFile:
    """A data file of the lake, opened for reading row groups."""
    if isinstance(storage, ObjectStorage):
        return TableFile(pa.PythonFile(RangeFile(storage, path), mode="r"), path, pre_buffer=True)
    # By its name: Arrow then reads without the interpreter lock.
    return TableFile(storage.url(path), path)


def _open_cache(
    uri: str, options: Mapping[str, str], columns: Sequence[str], max_bytes: int
) -> RowGroupCache:
    return RowGroupCache(open_storage(uri, options), columns, max_bytes)
