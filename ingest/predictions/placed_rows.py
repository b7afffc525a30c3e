"""Rows that stand in row groups of data files, read again when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.rows.row_groups import RowGroup, RowGroupCache

Integers = NDArray[np.int64]


class PlacedRows:
    """n rows by their places, read row group by row group.

    Parameters
    ----------
    groups
        The row groups that hold them.
    group, row
        Which of `groups` each lies in, and its number there. Shape (n,).
    """

    def __init__(
        self, cache: RowGroupCache, groups: Sequence[RowGroup], group: Integers, row: Integers
    ) -> None:
        self._cache = cache
        self._groups = groups
        self.group = group
        self._row = row

    def fetch(self, rows: Integers) -> pa.Table:
        """The columns of some rows, at least one, in the order asked."""
        order = np.argsort(self.group[rows], kind="stable")
        groups = self.group[rows][order]
        parts = []
        for each in np.split(order, np.flatnonzero(np.diff(groups)) + 1):
            table = self._cache.read(self._groups[int(self.group[rows[each[0]]])])
            parts.append(table.take(pa.array(self._row[rows[each]])))
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return pa.concat_tables(parts).take(pa.array(back))
