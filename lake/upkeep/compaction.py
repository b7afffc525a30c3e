"""Merging the small files of the tables, their rows sorted, as a new version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lake.errors import StorageError
from lake.log.changes import Changes
from lake.log.data_files import DataFile
from lake.log.state import COMMITS, State
from lake.reader import Reader, find_table
from lake.upkeep.merging import SMALL_BYTES, Merger, Piece
from schemas import TABLES

if TYPE_CHECKING:
    import polars as pl

    from lake.lake import Lake

FEWEST_FILES = 2
# Every operation adds a small file here, `optimize` too: merging a few would never come to rest.
FEWEST_COMMITS = 16


@dataclass(frozen=True)
class Merge:
    """One merged file of a table."""

    table: str
    partition: Mapping[str, str]
    piece: Piece


def optimize(lake: Lake, tables: Sequence[str] | None = None) -> pl.DataFrame:
    """Merge small files, partition by partition, and sort their rows.

    Files below 32 MB are merged into files of about 128 MB, one after the other, so that memory
    does not grow with the table. No row is changed. The files merged stay for the versions that
    need them: see vacuum. What others append meanwhile stays as it is; what they drop is left out.

    Parameters
    ----------
    tables
        Only these; all by default.

    Returns
    -------
    One row per partition: files and bytes merged, and files and bytes that took their place.

    Raises
    ------
    NotFoundError
        There is no such table.
    """
    names = [find_table(name).name for name in (TABLES if tables is None else tables)]
    merger = Merger()
    done: list[Merge] = []
    planned: set[str] = set()

    def plan(state: State) -> Changes:
        done[:] = _merge(Reader(lake.storage, state), merger, names)
        planned.update(merge.piece.file.path for merge in done)
        return _changes(done)

    lake.commit("optimize", plan, arguments={"tables": names})
    for name, file in merger.files:
        if file.path not in planned:  # came out small, and was merged once more
            with suppress(StorageError):  # vacuum takes what cannot be taken now
                lake.storage.delete(f"{name}/{file.path}")
    return _report(done)


def _merge(reader: Reader, merger: Merger, names: Sequence[str]) -> list[Merge]:
    return [
        Merge(name, partition, piece)
        for name in names
        for partition, files in _small_files(reader, name)
        for piece in merger.settle(reader, TABLES[name], partition, files)
    ]


def _small_files(reader: Reader, name: str) -> Iterator[tuple[dict[str, str], list[DataFile]]]:
    """The small files of every partition that has enough of them."""
    columns = TABLES[name].partition
    partitions: dict[tuple[str, ...], list[DataFile]] = {}
    for file in reader.files(name):
        if file.size < SMALL_BYTES:
            key = tuple(file.partition[column] for column in columns)
            partitions.setdefault(key, []).append(file)
    fewest = FEWEST_COMMITS if name == COMMITS else FEWEST_FILES
    for key, files in sorted(partitions.items()):
        if len(files) >= fewest:
            yield dict(zip(columns, key, strict=True)), files


def _changes(merges: Sequence[Merge]) -> Changes:
    added: dict[str, list[DataFile]] = {}
    removed: dict[str, list[DataFile]] = {}
    for merge in merges:
        added.setdefault(merge.table, []).append(merge.piece.file)
        removed.setdefault(merge.table, []).extend(merge.piece.origins)
    return Changes(added=added, removed=removed)


def _report(merges: Sequence[Merge]) -> pl.DataFrame:
    import polars as pl

    records = [
        (
            merge.table,
            "/".join(f"{column}={value}" for column, value in merge.partition.items()),
            len(merge.piece.origins),
            1,
            sum(file.size for file in merge.piece.origins),
            merge.piece.file.size,
        )
        for merge in merges
    ]
    numbers = ("files_before", "files_after", "bytes_before", "bytes_after")
    schema = {"table": pl.String, "partition": pl.String} | dict.fromkeys(numbers, pl.Int64)
    frame = pl.DataFrame(records, schema=schema, orient="row")
    return frame.group_by("table", "partition", maintain_order=True).agg(pl.col(numbers).sum())
