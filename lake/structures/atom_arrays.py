"""The column ``arrays``: per-atom arrays of any name and type."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

KINDS = ("floats", "integers", "strings", "booleans")


def decode_arrays(column: pa.ChunkedArray) -> list[Arrays]:
    """The arrays of every row, by name. Each has shape (n_atoms,) or (n_atoms, n_columns)."""
    rows = column.combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(rows), 0).to_numpy()
    entries = rows.flatten()
    names = entries.field("name").to_pylist()
    widths = entries.field("n_columns").to_pylist()
    values: list[NDArray[Any]] = [np.empty(0)] * len(entries)
    for kind in KINDS:
        _fill(values, entries.field(kind))
    bounds = np.concatenate(([0], np.cumsum(lengths))).tolist()
    return [
        {names[i]: _shaped(values[i], widths[i]) for i in range(start, stop)}
        for start, stop in pairwise(bounds)
    ]


def _fill(values: list[NDArray[Any]], lists: pa.ListArray) -> None:
    """Put the values of one kind where they are set; each is a copy of its own."""
    given = np.flatnonzero(np.asarray(lists.is_valid()))
    if not len(given):
        return
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    stops = np.cumsum(pc.list_value_length(lists).drop_null().to_numpy()).tolist()
    start = 0
    for i, stop in zip(given.tolist(), stops, strict=True):
        part = flat[start:stop]
        # ASE keeps text of fixed width, not objects.
        values[i] = part.astype(str) if part.dtype == object else part.copy()
        start = stop


def _shaped(values: NDArray[Any], n_columns: int) -> NDArray[Any]:
    return values if n_columns == 1 else values.reshape(-1, n_columns)
