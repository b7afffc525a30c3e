"""Single rows of a decoded row group, without what Arrow takes for every call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

AXES = ("x", "y", "z")
VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")


class RowViews:
    """The rows of a table, by number; columns are views of its memory, made when first asked for.

    Parameters
    ----------
    table
        A decoded row group.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._columns: dict[str, Any] = {}

    def plain(self, name: str, row: int) -> Any:
        """A number or text; None for NULL."""
        return self._rows(name)[row].as_py()

    def entries(self, name: str, row: int) -> NDArray[Any]:
        """The entries of a list, shape (length,): a view."""
        if name not in self._columns:
            self._columns[name] = _Lists(_one_chunk(self.table[name]))
        part: NDArray[Any] = self._columns[name].entries(row)
        return part

    def vectors(self, name: str, row: int) -> NDArray[np.float64] | None:
        """A vector for every atom, shape (n_atoms, 3): a copy. None for NULL."""
        if name not in self._columns:
            rows = _one_chunk(self.table[name])
            self._columns[name] = _valid(rows), [_Lists(rows.field(axis)) for axis in AXES]
        valid, axes = self._columns[name]
        if valid is not None and not valid[row]:
            return None
        parts = [axis.entries(row) for axis in axes]
        found = np.empty((len(parts[0]), 3))
        for axis, part in enumerate(parts):
            found[:, axis] = part
        return found

    def tensor(self, name: str, row: int) -> NDArray[np.float64] | None:
        """A symmetric tensor in Voigt order, shape (6,): a copy. None for NULL."""
        if name not in self._columns:
            rows = _one_chunk(self.table[name])
            self._columns[name] = _valid(rows), [_to_numpy(rows.field(part)) for part in VOIGT]
        valid, components = self._columns[name]
        if valid is not None and not valid[row]:
            return None
        return np.array([component[row] for component in components])

    def filled(self, name: str, row: int) -> pa.ChunkedArray | None:
        """One row of a column of lists as Arrow has it; None for NULL and for an empty list."""
        rows = self._rows(name)
        if not rows[row].is_valid or not len(rows[row].values):
            return None
        return pa.chunked_array([rows.slice(row, 1)])

    def _rows(self, name: str) -> pa.Array:
        if name not in self._columns:
            self._columns[name] = _one_chunk(self.table[name])
        return self._columns[name]


class _Lists:
    """A column of lists as its entries and where each list begins."""

    def __init__(self, rows: pa.ListArray) -> None:
        self._bounds = rows.offsets.to_numpy()
        self._entries = _to_numpy(rows.values)  # all of the buffer, which the bounds count from 0

    def entries(self, row: int) -> NDArray[Any]:
        return self._entries[self._bounds[row] : self._bounds[row + 1]]


def _valid(rows: pa.Array) -> NDArray[np.bool_] | None:
    return np.asarray(rows.is_valid()) if rows.null_count else None


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _to_numpy(values: pa.Array) -> NDArray[Any]:
    return np.asarray(values.to_numpy(zero_copy_only=False))
