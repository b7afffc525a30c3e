"""Rows gathered from several row groups, to be mixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from lake.rows.labelled_rows import LabelledRows
from lake.rows.row_index import Places

Rows = tuple[pa.Table, pa.Table | None]


def buffers(rows: LabelledRows, runs: Sequence[Places], most_bytes: int) -> Iterator[Rows]:
    """Structures and their labels, run after run, handed out as soon as they fill a buffer.

    Parameters
    ----------
    rows
        Where they are read from.
    runs
        Places of structures, each run in one row group.
    most_bytes
        Room of a buffer, in bytes. The run that fills it is in it as a whole.
    """
    held: list[Rows] = []
    n_bytes = 0
    for run in runs:
        held.append(rows.take(run))
        n_bytes += sum(table.nbytes for table in held[-1] if table is not None)
        if n_bytes >= most_bytes:
            yield _joined(held)
            n_bytes = 0
    if held:
        yield _joined(held)


def _joined(held: list[Rows]) -> Rows:
    """All rows in one piece; `held` is empty afterwards, so that they are not in memory twice."""
    structures = pa.concat_tables([table for table, _ in held])
    labels = [table for _, table in held if table is not None]
    joined = pa.concat_tables(labels) if labels else None
    held.clear()
    return structures.combine_chunks(), None if joined is None else joined.combine_chunks()
