"""Rows of a table by structure_id, in any order and with bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from lake.errors import NotFoundError
from lake.reader import Reader, find_table
from lake.rows.row_groups import RowGroupCache
from lake.rows.row_index import Places, RowIndex
from lake.rows.row_views import RowViews

CACHE_BYTES = 256 * 2**20


class RowReader:
    """Random access to the rows of a table that has structures.

    Pickled, it holds the index and where the lake is, but no open file and nothing decoded.

    Parameters
    ----------
    reader
        The version of the lake.
    name
        A table with the columns dataset and structure_id.
    columns
        Columns to read, all by default. Only these are decoded.
    cache_bytes
        Room for decoded row groups, in bytes. A row group holds about 250,000 atoms.
    **partition
        Values of partition columns, e.g. ``label_set="dft"``: other files are not opened.

    Raises
    ------
    NotFoundError
        There is no such table or column.
    """

    def __init__(
        self,
        reader: Reader,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        cache_bytes: int = CACHE_BYTES,
        **partition: str | None,
    ) -> None:
        table = find_table(name)
        chosen = table.arrow.names if columns is None else columns
        for column in chosen:
            if column not in table.arrow.names:
                raise NotFoundError.among(f"column of {name}", column, table.arrow.names)
        self.name = name
        self.schema = pa.schema([table.arrow.field(column) for column in chosen])
        self.index = RowIndex(reader.storage, name, reader.files(name, **partition))
        stored = [column for column in chosen if column not in table.partition]
        self._cache = RowGroupCache(reader.storage, stored, cache_bytes)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def cached_bytes(self) -> int:
        """Size of the decoded row groups held now, in bytes."""
        return self._cache.n_bytes

    def fetch(self, ids: ArrayLike, datasets: pa.ChunkedArray | None = None) -> pa.Table:
        """The rows of these structures, in the order asked. For the parameters see `RowIndex`.

        Raises
        ------
        NotFoundError
            A structure is not in the table.
        """
        places = self.index.locate(ids, datasets)
        missing = np.asarray(ids, np.int64)[places < 0]
        if len(missing):
            raise self._missing(int(missing[0]), len(missing) - 1)
        return self.take(places)

    def fetch_one(self, identity: int, dataset: str | None = None) -> tuple[RowViews, int]:
        """The row of one structure: the row group it is in, and its number there.

        Raises
        ------
        NotFoundError
            The structure is not in the table.
        """
        found = self.find_one(identity, dataset)
        if found is None:
            raise self._missing(identity, 0)
        return found

    def find_one(self, identity: int, dataset: str | None = None) -> tuple[RowViews, int] | None:
        """The same; None where there is none."""
        place = self.index.locate_one(identity, dataset)
        if place < 0:
            return None
        group, row = self.index.row_of(place)
        return self._cache.views(self.index.groups[group]), row

    def take(self, places: Places) -> pa.Table:
        """The rows at these places, in this order; a row of NULLs for a place of -1.

        Every row group is decoded at most once, whatever the order.
        """
        order = np.argsort(places, kind="stable")
        groups = self.index.group_of(places[order])
        bounds = [0, *(np.flatnonzero(np.diff(groups)) + 1).tolist(), len(places)]
        parts = [
            self._take_from(int(groups[start]), places[order[start:stop]])
            for start, stop in pairwise(bounds)
            if stop > start
        ]
        if not parts:
            return self.schema.empty_table()
        rows = parts[0] if len(parts) == 1 else pa.concat_tables(parts)
        if (np.diff(order) == 1).all():
            return rows
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return rows.take(pa.array(back))

    def _missing(self, identity: int, n_others: int) -> NotFoundError:
        more = f" (and {n_others} more of those asked for)" if n_others else ""
        return NotFoundError(
            f"No row of {self.name} has structure_id {identity}{more}. Expected values of the "
            "column structure_id in this version of the lake. Select them by SQL."
        )

    def _take_from(self, group: int, places: Places) -> pa.Table:
        """Rows of one row group, at ascending places; rows of NULLs for group -1."""
        n = len(places)
        if group < 0:
            nulls = [pa.nulls(n, field.type) for field in self.schema]
            return pa.Table.from_arrays(nulls, schema=self.schema)
        rows = self._cache.read(self.index.groups[group])
        numbers = places - self.index.starts[group]
        if (np.diff(numbers) == 1).all():
            rows = rows.slice(int(numbers[0]), n)
        else:
            rows = rows.take(pa.array(numbers))
        partition = self.index.partitions[group]
        columns = [
            pa.repeat(pa.scalar(partition[field.name], field.type), n)
            if field.name in partition
            else rows[field.name]
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)
