"""What was done to the lake, and what differs between two versions of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from lake.log.data_files import DataFile
from lake.reader import Reader
from schemas import TABLES, Table

if TYPE_CHECKING:
    import polars as pl


def log(reader: Reader) -> pl.DataFrame:
    """The rows of ``commits`` up to the version that is read, newest first."""
    return reader.scan("commits").sort("version", descending=True).collect()


def diff(old: Reader, new: Reader) -> pl.DataFrame:
    """Rows and files added and removed between two versions of one lake.

    One row per table and partition whose files differ; ``commits``, which always does, is left
    out. A row that was only moved to another file, as `optimize` does, is neither added nor
    removed: rows count as the same when all their values but the nested ones agree.
    """
    import polars as pl

    records = [
        record
        for table in TABLES.values()
        if table.name != "commits"
        for record in _of(table, old, new)
    ]
    counts = ("rows_added", "rows_removed", "files_added", "files_removed")
    schema = {"table": pl.String, "partition": pl.String} | dict.fromkeys(counts, pl.Int64)
    return pl.DataFrame(records, schema=schema, orient="row")


def _of(table: Table, old: Reader, new: Reader) -> list[tuple[str, str, int, int, int, int]]:
    before = {file.path: file for file in old.files(table.name)}
    after = {file.path: file for file in new.files(table.name)}
    gone = _by_partition(table, (before[path] for path in before.keys() - after.keys()))
    come = _by_partition(table, (after[path] for path in after.keys() - before.keys()))
    records = []
    for partition in sorted(gone.keys() | come.keys()):
        removed, added = gone.get(partition, []), come.get(partition, [])
        moved = _rows_in_both(table, old, removed, added) if removed and added else 0
        rows_added, rows_removed = (sum(f.n_rows for f in files) for files in (added, removed))
        records.append(
            (
                table.name,
                partition,
                rows_added - moved,
                rows_removed - moved,
                len(added),
                len(removed),
            )
        )
    return records


def _by_partition(table: Table, files: Iterable[DataFile]) -> dict[str, list[DataFile]]:
    found: dict[str, list[DataFile]] = {}
    for file in files:
        key = "/".join(f"{column}={file.partition[column]}" for column in table.partition)
        found.setdefault(key, []).append(file)
    return found


def _rows_in_both(
    table: Table, reader: Reader, removed: Sequence[DataFile], added: Sequence[DataFile]
) -> int:
    scalars = ", ".join(f'"{c.name}"' for c in table.columns if not pa.types.is_nested(c.type))

    def rows(files: Sequence[DataFile]) -> str:
        return f"SELECT {scalars} FROM ({reader.table_sql(table.name, files)})"

    query = f"SELECT count(*) FROM ({rows(removed)} INTERSECT ALL {rows(added)})"
    with reader.connect(()) as connection:
        found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0
