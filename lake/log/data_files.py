"""Parquet files of the tables: written once, checksummed on the way, never changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from lake.errors import InvalidInputError
from lake.log.encodings import choose_encodings
from lake.names import check_name
from lake.storage.storage import Storage
from schemas import Table, find_faults

# One row may hold a million atoms, so row groups are cut by atoms. Groups of this size are read 7 %
# faster than four times larger ones (make bench BENCH=force-errors).
ATOMS_PER_ROW_GROUP = 250_000
ROWS_PER_ROW_GROUP = 1_000_000

_STATISTICS_TYPES = (pa.int16(), pa.int32(), pa.int64(), pa.float64(), pa.string())


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table, as the table's log names it.

    ``path`` is relative to the table's folder; ``checksum`` is xxh3_128 in hex of all bytes.
    """

    path: str
    partition: Mapping[str, str]
    size: int
    n_rows: int
    checksum: str | None = None
    statistics: str | None = None


def partition_folder(table: Table, partition: Mapping[str, str]) -> str:
    """The folder of a partition below its table's, ending in a slash; empty for no partition.

    Raises
    ------
    InvalidInputError
        A value cannot be the name of a folder everywhere.
    """
    return "".join(
        f"{column}={check_name(column, partition[column])}/" for column in table.partition
    )


class _ChecksummedStream:
    """Counts and hashes what passes through to another stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = xxhash.xxh3_128()
        self.size = 0
        self.closed = False
        self.discards = False

    def write(self, data: Any) -> int:
        if self.discards:
            return len(data)
        self._hash.update(data)
        self.size += len(data)
        self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self.closed = True

    @property
    def checksum(self) -> str:
        return self._hash.hexdigest()


class DataFileWriter:
    """Rows into one Parquet file; row groups are cut by atoms where the table has any."""

    def __init__(self, table: Table, stream: BinaryIO) -> None:
        self.table = table
        self.stream = _ChecksummedStream(stream)
        self._writer: pq.ParquetWriter | None = None
        self._pending: list[pa.Table] = []
        self._pending_weight = 0
        self.n_rows = 0

    def write(self, rows: pa.Table) -> None:
        """Add rows; columns as declared, without the partition columns.

        Raises
        ------
        InvalidInputError
            A required value is NULL, or a per-atom list is not as long as its structure.
        """
        rows = rows.select(self.table.file_arrow.names).cast(self.table.file_arrow)
        faults = list(find_faults(self.table, rows))
        if faults:
            raise InvalidInputError(
                f"{'; '.join(faults)}. Every row must be as 'atomlake schema {self.table.name}' "
                "says. Nothing was written."
            )
        for part in _cut(rows, ATOMS_PER_ROW_GROUP):
            weight = _weight(part)
            if self._pending and self._pending_weight + weight > ATOMS_PER_ROW_GROUP:
                self._flush()
            self._pending.append(part)
            self._pending_weight += weight
        self.n_rows += rows.num_rows

    def close(self) -> str:
        """Finish the file; the statistics of its scalar columns, as Delta's JSON."""
        self._flush()
        writer = self._opened(self.table.file_arrow.empty_table())
        writer.close()
        metadata = cast(pq.FileMetaData, writer.writer.metadata)
        return json.dumps(_statistics(self.table, metadata))

    def abandon(self) -> None:
        """Let go of the file after an error; pyarrow would finish it when it is collected."""
        self.stream.discards = True
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if self._pending:
            rows = pa.concat_tables(self._pending)
            self._opened(rows).write_table(rows, row_group_size=ROWS_PER_ROW_GROUP)
        self._pending, self._pending_weight = [], 0

    def _opened(self, first_rows: pa.Table) -> pq.ParquetWriter:
        """The writer, which is made when there are rows to choose encodings by."""
        if self._writer is None:
            encodings = choose_encodings(first_rows)
            self._writer = pq.ParquetWriter(
                pa.PythonFile(self.stream, mode="w"),
                self.table.file_arrow,
                compression=encodings.compression,
                compression_level={p: 1 for p, c in encodings.compression.items() if c == "zstd"},
                use_byte_stream_split=encodings.byte_stream_split,
                use_dictionary=encodings.dictionary,
            )
        return self._writer


@contextmanager
def open_data_file(
    storage: Storage, table: Table, partition: Mapping[str, str], name: str
) -> Iterator[tuple[DataFileWriter, list[DataFile]]]:
    """A writer for one new file; when the block ends well, the list holds the durable file.

    `name` is the file's own name, without folder and ending.
    """
    path = f"{partition_folder(table, partition)}{name}.parquet"
    result: list[DataFile] = []
    with storage.create(f"{table.name}/{path}") as stream:
        writer = DataFileWriter(table, stream)
        try:
            yield writer, result
            statistics = writer.close()
        except BaseException:
            writer.abandon()
            raise
        file = DataFile(
            path,
            dict(partition),
            writer.stream.size,
            writer.n_rows,
            writer.stream.checksum,
            statistics,
        )
    result.append(file)


def write_data_file(
    storage: Storage, table: Table, partition: Mapping[str, str], name: str, rows: pa.Table
) -> DataFile:
    """Write rows of one partition into one new file."""
    with open_data_file(storage, table, partition, name) as (writer, result):
        writer.write(rows)
    return result[0]


def partitions(table: Table, rows: pa.Table) -> Iterator[tuple[dict[str, str], pa.Table]]:
    """Cut rows that hold the partition columns into the partitions they belong to."""
    if not table.partition:
        yield {}, rows
        return
    keys = rows.select(table.partition).group_by(list(table.partition)).aggregate([])
    for key in keys.to_pylist():
        mask = None
        for column, value in key.items():
            if value is None:
                raise InvalidInputError(
                    f"{table.name}: {column} is NULL in a row. Every row needs one."
                )
            equal = pc.equal(rows[column], value)
            mask = equal if mask is None else pc.and_(mask, equal)
        yield key, rows.filter(mask)


def _weight(rows: pa.Table) -> int:
    """Atoms in the rows, or rows where the table has no atoms."""
    if "n_atoms" not in rows.column_names:
        return int(rows.num_rows)
    return int(pc.sum(rows["n_atoms"]).as_py() or 0)


def _cut(rows: pa.Table, most: int) -> Iterator[pa.Table]:
    """Runs of rows of about `most` atoms each, every one at least one row."""
    if _weight(rows) <= most or "n_atoms" not in rows.column_names:
        yield rows
        return
    ends = pc.cumulative_sum(rows["n_atoms"].cast(pa.int64())).to_numpy()
    start = 0
    while start < rows.num_rows:
        before = int(ends[start - 1]) if start else 0
        stop = max(int(ends.searchsorted(before + most, side="right")), start + 1)
        yield rows.slice(start, stop - start)
        start = stop


def _statistics(table: Table, metadata: pq.FileMetaData) -> dict[str, Any]:
    """Number of rows, and least, greatest and NULLs of each scalar column, for data skipping."""
    found: dict[str, Any] = {"numRecords": metadata.num_rows}
    for key in ("minValues", "maxValues", "nullCount"):
        found[key] = {}
    names = {c.name for c in table.columns if c.type in _STATISTICS_TYPES and c.name != "info"}
    index = {
        metadata.schema.column(i).path: i
        for i in range(metadata.num_columns)
        if metadata.schema.column(i).path in names
    }
    for name, i in index.items():
        columns = [metadata.row_group(g).column(i) for g in range(metadata.num_row_groups)]
        each = [c.statistics for c in columns if c.statistics is not None]
        if len(each) != len(columns):
            continue
        found["nullCount"][name] = sum(s.null_count for s in each)
        bounded = [s for s in each if s.has_min_max]
        if bounded and len(bounded) == len(each):
            bounds = min(s.min for s in bounded), max(s.max for s in bounded)
            if all(isfinite(b) for b in bounds if isinstance(b, float)):  # JSON has no infinity
                found["minValues"][name], found["maxValues"][name] = bounds
    return found
