"""Checkpoints: one Parquet file each, which sums a table's log up to a version.

delta-rs writes them, as other readers of Delta expect them. They are read here, so that reading a
lake does not take delta-rs: 130 MB that a worker would need for nothing else.
"""

from __future__ import annotations

import re
from typing import cast

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from lake.errors import NotFoundError, StorageError
from lake.log.data_files import DataFile
from lake.log.delta_log import logged_file
from lake.storage.arrow_input import open_parquet_input
from lake.storage.storage import Storage

CHECKPOINT_EVERY = 50
_FILE = re.compile(r"(\d{20})\.checkpoint\.parquet")
_READ = ("path", "partitionValues", "size", "stats", "tags")


def newest_checkpoint(storage: Storage, name: str, version: int) -> int:
    """The version of the newest checkpoint of a table at or below a version; 0 for none."""
    try:
        last = orjson.loads(storage.read(f"{name}/_delta_log/_last_checkpoint"))["version"]
        if 0 <= last <= version:
            return int(last)
    except (NotFoundError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or a power cut tore it
    found = (_FILE.search(file.path) for file in storage.list_files(f"{name}/_delta_log"))
    versions = (int(match[1]) for match in found if match)
    return max((each for each in versions if each <= version), default=0)


def read_checkpoint(storage: Storage, name: str, version: int) -> dict[str, DataFile]:
    """The files of a table at the version of one of its checkpoints, by path.

    Raises
    ------
    NotFoundError, pa.ArrowException, OSError, ValueError, KeyError
        There is none, or a power cut tore it.
    """
    with open_parquet_input(storage, _path(name, version)) as parquet:
        rows = parquet.read([f"add.{field}" for field in _READ], use_threads=storage.is_local)
    actions = pc.drop_null(rows["add"]).combine_chunks()
    columns = [_plain(actions.field(field)) for field in _READ]
    files = (
        logged_file(dict(zip(_READ, action, strict=True))) for action in zip(*columns, strict=True)
    )
    return {file.path: file for file in files}


def write_checkpoint(storage: Storage, name: str, version: int) -> None:
    """Sum the log up to a version in one file, so that readers need not read every entry.

    Where delta-rs is not installed, as in the environment of a model, nothing happens: whoever
    started the worker does it, with `write_due_checkpoints`.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ModuleNotFoundError:
        return

    options = dict(storage.options) or None
    try:
        DeltaTable(storage.url(name), version=version, storage_options=options).create_checkpoint()
    except (DeltaError, OSError) as error:
        raise StorageError(
            f"{storage.url(name)}: no checkpoint could be written: {error}. The table is whole; "
            "make room, and a later commit writes one."
        ) from error
    storage.sync(_path(name, version))
    storage.sync(f"{name}/_delta_log/_last_checkpoint")


def checkpoint_fault(storage: Storage, name: str, version: int) -> str | None:
    """Why delta-rs cannot read a log whose entries are whole; None when it can."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    if not version:
        return None
    url, options = storage.url(name), dict(storage.options) or None
    try:
        DeltaTable(url, version=version, storage_options=options).get_add_actions(flatten=True)
    except DeltaError as error:
        return (
            f"delta-rs cannot read the log's checkpoint: {error}. The entries are whole, and are "
            "read instead. Delete the file _last_checkpoint and the newest *.checkpoint.parquet"
        )
    return None


def _plain(column: pa.Array) -> list[object]:
    """Values of a column; of a map its dictionaries."""
    if pa.types.is_map(column.type):
        return [None if pairs is None else dict(pairs) for pairs in column.to_pylist()]
    return cast(list[object], column.to_pylist())


def _path(name: str, version: int) -> str:
    return f"{name}/_delta_log/{version:020}.checkpoint.parquet"
