"""Data of one version of the lake, copied into files for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.errors import InvalidInputError
from lake.exports.duckdb_file import export_duckdb
from lake.exports.extxyz_text import extxyz_text
from lake.exports.output_file import finished_path, output_stream
from lake.log.data_files import DataFile
from lake.reader import Reader, find_table
from lake.rows.labelled_rows import LabelledRows, choose_label_set
from lake.rows.row_groups import open_parquet
from lake.rows.selection import select_places
from lake.storage.storage import Storage
from schemas import TABLES, Table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["export_duckdb", "export_extxyz", "export_parquet"]

ATOMS_PER_TEXT = 100_000

FRAME_COLUMNS = ("n_atoms", "numbers", "positions", "cell", "pbc", "config_type", "info", "arrays")


def export_extxyz(
    reader: Reader,
    path: str,
    where: str | None = None,
    *,
    label_set: str | None = None,
    label_prefix: str = "",
) -> int:
    """Write structures with their labels as extended XYZ, bit for bit; how many.

    Parameters
    ----------
    reader
        The version of the lake.
    path
        File to write, replaced when all is written; ``-`` is standard output. Compressed where it
        ends in ``.gz``, ``.xz`` or ``.zst``.
    where
        An SQL condition; see `lake.rows.selection.select_places`.
    label_set
        Which labels; by default the only ones there are.
    label_prefix
        Stands before energy, forces and stress, e.g. ``REF_``.

    Raises
    ------
    InvalidInputError
        The condition is wrong or fulfilled by none, or there are several label sets and none is
        named.
    """
    chosen = choose_label_set(reader, label_set)
    rows = LabelledRows(reader, chosen, columns=FRAME_COLUMNS, cache_bytes=0)
    index = rows.structures.index
    places = select_places(reader, index, where, label_set)
    if where is not None and not len(places):
        raise InvalidInputError(
            f"No structure fulfils the condition {where!r}. Nothing was written. Change --where."
        )
    with output_stream(path) as stream:
        for run in index.runs(places):
            structures, labels = rows.take(run)
            for start, n in _spans(structures["n_atoms"].to_numpy()):
                part = None if labels is None else labels.slice(start, n)
                text = extxyz_text(structures.slice(start, n), part, label_prefix=label_prefix)
                stream.write(text)
    return len(places)


def export_parquet(
    reader: Reader, folder: str, tables: Sequence[str] | None = None
) -> pl.DataFrame:
    """Write tables as plain Parquet files, one for every partition, its columns inside.

    Parameters
    ----------
    reader
        The version of the lake.
    folder
        A new or empty folder: ``TABLE/dataset=NAME,….parquet`` goes into it.
    tables
        Names of tables; by default every table that has rows.

    Returns
    -------
    Files and rows written, per table.

    Raises
    ------
    InvalidInputError
        The folder has something in it.
    """
    import polars as pl

    chosen = [find_table(name) for name in (TABLES if tables is None else tables)]
    target = Path(folder)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InvalidInputError(
            f"{folder} exists and is not empty. Expected a new or empty folder. Choose another."
        )
    written = []
    with finished_path(folder) as temporary:
        temporary.mkdir()
        for table in chosen:
            parts = _partitions(reader.files(table.name))
            for name, files in parts.items():
                file = temporary / table.name / f"{name or table.name}.parquet"
                file.parent.mkdir(exist_ok=True)
                _copy(reader.storage, table, files, file)
            rows = sum(file.n_rows for files in parts.values() for file in files)
            written.append((table.name, len(parts), rows))
    frame = pl.DataFrame(written, ["table", "files", "rows"], orient="row")
    return frame if tables is not None else frame.filter(pl.col("rows") > 0)


def _spans(n_atoms: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Iterator[tuple[int, int]]:
    """Cut structures into runs of about ATOMS_PER_TEXT atoms: first one, and how many."""
    ends = np.cumsum(n_atoms, dtype=np.int64)
    start = 0
    while start < len(ends):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(ends.searchsorted(before + ATOMS_PER_TEXT, side="right")), start + 1)
        yield start, stop - start
        start = stop


def _partitions(files: Sequence[DataFile]) -> dict[str, list[DataFile]]:
    """Data files by partition, in order of path; a partition is called ``dataset=cu,…``."""
    found: dict[str, list[DataFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        # No name of a partition holds a comma or an equals sign.
        name = ",".join(f"{column}={value}" for column, value in file.partition.items())
        found.setdefault(name, []).append(file)
    return found


def _copy(storage: Storage, table: Table, files: Sequence[DataFile], target: Path) -> None:
    """Write the rows of data files into one file, row group by row group."""
    with pq.ParquetWriter(target, table.arrow, compression="zstd") as writer:
        for file in files:
            with open_parquet(storage, f"{table.name}/{file.path}") as source:
                for number in range(source.metadata.num_row_groups):
                    writer.write_table(_with_partition(source.read_row_group(number), file, table))


def _with_partition(rows: pa.Table, file: DataFile, table: Table) -> pa.Table:
    columns = [
        pa.repeat(pa.scalar(file.partition[field.name], field.type), len(rows))
        if field.name in file.partition
        else rows[field.name].cast(field.type)
        for field in table.arrow
    ]
    return pa.Table.from_arrays(columns, schema=table.arrow)
