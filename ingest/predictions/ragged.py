"""Rows of unequal length that lie one after the other in a flat array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def offsets_of(lengths: NDArray[np.integer]) -> Integers:
    """First entry of every row, and the number of entries at the end. Shape (k + 1,).

    Examples
    --------
    >>> offsets_of(np.array([2, 3]))
    array([0, 2, 5])
    """
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def entries_of(offsets: Integers, rows: Integers) -> Integers:
    """Where the entries of some rows lie, row by row.

    Parameters
    ----------
    offsets
        As `offsets_of` makes them. Shape (k + 1,).
    rows
        Shape (m,).

    Examples
    --------
    >>> entries_of(np.array([0, 2, 5]), np.array([1, 0]))
    array([2, 3, 4, 0, 1])
    """
    first, lengths = offsets[rows], np.diff(offsets)[rows]
    starts = offsets_of(lengths)
    return np.arange(starts[-1]) + np.repeat(first - starts[:-1], lengths)


def greatest(values: NDArray[np.float64], lengths: Integers) -> NDArray[np.float64]:
    """The greatest entry of every row; NaN where a row holds one. No row is empty. Shape (k,)."""
    if not len(lengths):
        return np.empty(0)
    rows: NDArray[np.float64] = np.maximum.reduceat(values, offsets_of(lengths)[:-1])
    return rows
