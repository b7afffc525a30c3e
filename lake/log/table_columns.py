"""The columns that a table's log names: those it was made with, and those declared since.

A later version of atomlake may declare more columns, which may be NULL, and more tables. A lake
stays as it is until one of its tables is written to: the entry then names the columns that the log
lacks, so that other Delta readers find them too. No file is written anew for that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any

import pyarrow as pa

from lake.errors import CorruptLakeError, InvalidInputError, StorageError
from lake.log.delta_log import Entry, entry_path, read_entries, read_entry
from lake.storage.storage import Storage
from lake.version import __version__
from schemas import TABLES, Column, Table, delta_field

_CONFIGURATION = {
    # delta-rs would drop log entries after 30 days, and the past with them; vacuum decides here.
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}
_STATISTICS = "delta.dataSkippingStatsColumns"


def create_table(storage: Storage, table: Table) -> None:
    """Make an empty table, durably, unless there is one.

    Raises
    ------
    StorageError
        It cannot be made there.
    """
    first = entry_path(table.name, 0)
    if not storage.exists(first):
        storage.make_folder(f"{table.name}/_delta_log")  # delta-rs would not make it durable
        _create(storage, table)
    storage.sync(first)  # also where another made it and was stopped before that


def _create(storage: Storage, table: Table) -> None:
    from deltalake import DeltaTable, Schema
    from deltalake.exceptions import DeltaError

    configuration = _CONFIGURATION | {_STATISTICS: ",".join(_skippable(table.columns))}
    try:
        DeltaTable.create(
            storage.url(table.name),
            Schema.from_arrow(table.arrow),
            mode="ignore",
            partition_by=list(table.partition),
            name=table.name,
            description=table.doc,
            configuration=configuration,
            storage_options=dict(storage.options) or None,
        )
    except (DeltaError, OSError) as error:
        raise StorageError(
            f"{storage.url(table.name)}: no table could be made: {error}. A lake needs a place one "
            "may write to. Choose another, or check the credentials, and make the lake again."
        ) from error


def lacking_columns(storage: Storage, table: Table) -> list[Column]:
    """Declared columns that a table was made without, so that files of it may lack them."""
    made_with = _made_with(storage, table.name)
    return [column for column in table.columns if column.name not in made_with]


def with_columns(storage: Storage, table: Table, entry: Entry, below: int) -> Entry:
    """An entry that follows version `below` of a table's log, and names the columns it lacks there.

    It says in its note which entry names the columns, so that the next writer need not look far.

    Raises
    ------
    InvalidInputError
        The table was made by a newer atomlake.
    """
    if _made_with(storage, table.name).difference(table.arrow.names):
        refuse_newer(storage, [table.name])
    if not lacking_columns(storage, table):
        return entry
    at, metadata = _newest_metadata(storage, table.name, below)
    schema = json.loads(metadata["schemaString"])
    known = {field["name"] for field in schema["fields"]}
    new = [column for column in table.columns if column.name not in known]
    if not new:
        return replace(entry, note={**entry.note, "columns_at": at})
    schema["fields"] += [delta_field(column.name, column.type) for column in new]
    configuration = dict(metadata["configuration"])
    configuration[_STATISTICS] = ",".join([configuration[_STATISTICS], *_skippable(new)])
    widened = {"schemaString": json.dumps(schema), "configuration": configuration}
    note = {**entry.note, "columns_at": below + 1}
    return replace(entry, metadata={**metadata, **widened}, note=note)


def declared_columns() -> dict[str, int]:
    """How many columns each table has; a later atomlake has no fewer."""
    return {name: len(table.columns) for name, table in TABLES.items()}


def newer_tables(columns: Mapping[str, int]) -> tuple[str, ...]:
    """Tables that this atomlake does not know, or not all columns of, by their numbers."""
    ours = declared_columns()
    return tuple(sorted(name for name, n in columns.items() if n > ours.get(name, 0)))


def refuse_newer(storage: Storage, tables: Iterable[str]) -> None:
    """Refuse to write where tables are of a newer atomlake.

    Raises
    ------
    InvalidInputError
        There are some.
    """
    names = ", ".join(tables)
    if names:
        raise InvalidInputError(
            f"{storage.uri} was written by a newer atomlake: it has tables or columns that "
            f"{__version__} does not know ({names}), and would lose. It can be read, and was "
            "not changed. Install the newer one to write to it."
        )


@lru_cache(maxsize=1024)  # the first entry never changes
def _made_with(storage: Storage, name: str) -> frozenset[str]:
    _, metadata = _newest_metadata(storage, name, 0)
    return frozenset(field["name"] for field in json.loads(metadata["schemaString"])["fields"])


def _newest_metadata(storage: Storage, name: str, version: int) -> tuple[int, Mapping[str, Any]]:
    """What the log says of the table at a version, and the entry that says it."""
    versions = range(version, -1, -1)
    # More than one entry is read only where an earlier atomlake, which made no note, wrote it.
    rest = read_entries(storage, name, versions[1:])
    for at, entry in zip(versions, chain([read_entry(storage, name, version)], rest), strict=True):
        if entry.metadata is not None:
            return at, entry.metadata
        if "columns_at" in entry.note:
            return _newest_metadata(storage, name, entry.note["columns_at"])
    raise CorruptLakeError(
        f"{storage.url(name)}: the first entry of the log does not say which columns the table "
        "has. Restore the folder from a copy."
    )


def _skippable(columns: Iterable[Column]) -> list[str]:
    """Names of the columns whose least and greatest values the log holds."""
    return [c.name for c in columns if not pa.types.is_nested(c.type) and c.name != "info"]
