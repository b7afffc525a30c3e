"""What a table's log sums up to: the files at a version, and checkpoints that save reading it all.

delta-rs does both, but for short logs. A checkpoint only repeats what the entries say, so one that
a power cut tore is no reason not to read the table.
"""

from __future__ import annotations

from collections.abc import Iterable

from lake.errors import StorageError
from lake.log.data_files import DataFile
from lake.log.delta_log import Entry, read_entry
from lake.storage.storage import Storage
from schemas import Table

CHECKPOINT_EVERY = 50


def snapshot(storage: Storage, table: Table, version: int) -> dict[str, DataFile]:
    """The files of a table at a Delta version, by path.

    Raises
    ------
    CorruptLakeError
        The log cannot be read at that version, not by its entries either.
    """
    if version == 0:
        return {}
    entries = (read_entry(storage, table.name, each) for each in range(1, version + 1))
    if storage.is_local and version < CHECKPOINT_EVERY:
        return replay({}, entries)  # sooner done than delta-rs is loaded
    from deltalake.exceptions import DeltaError

    try:
        return _summed_up(storage, table, version)
    except DeltaError:
        return replay({}, entries)


def checkpoint_fault(storage: Storage, table: Table, version: int) -> str | None:
    """Why delta-rs cannot read a log whose entries are whole; None when it can."""
    from deltalake.exceptions import DeltaError

    try:
        if version:
            _summed_up(storage, table, version)
    except DeltaError as error:
        return (
            f"delta-rs cannot read the log's checkpoint: {error}. The entries are whole, and are "
            "read instead. Delete the file _last_checkpoint and the newest *.checkpoint.parquet"
        )
    return None


def _summed_up(storage: Storage, table: Table, version: int) -> dict[str, DataFile]:
    import pyarrow as pa
    from deltalake import DeltaTable

    url, options = storage.url(table.name), dict(storage.options) or None
    delta = DeltaTable(url, version=version, storage_options=options)
    actions = pa.table(delta.get_add_actions(flatten=True))
    columns = actions.to_pydict()
    n_rows = columns.get("num_records", [None] * actions.num_rows)
    values = [columns[f"partition.{key}"] for key in table.partition]
    return {
        path: DataFile(path, dict(zip(table.partition, row, strict=True)), size, n or 0)
        for path, size, n, *row in zip(
            columns["path"], columns["size_bytes"], n_rows, *values, strict=True
        )
    }


def replay(files: dict[str, DataFile], entries: Iterable[Entry]) -> dict[str, DataFile]:
    """The files after some entries were applied, in order."""
    files = dict(files)
    for entry in entries:
        for file in entry.removed:
            files.pop(file.path, None)
        for file in entry.added:
            files[file.path] = file
    return files


def checkpoint(storage: Storage, name: str, version: int) -> None:
    """Sum the log up to a version in one file, so that readers need not read every entry.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    options = dict(storage.options) or None
    try:
        DeltaTable(storage.url(name), version=version, storage_options=options).create_checkpoint()
    except (DeltaError, OSError) as error:
        raise StorageError(
            f"{storage.url(name)}: no checkpoint could be written: {error}. The table is whole; "
            "make room, and a later commit writes one."
        ) from error
    storage.sync(f"{name}/_delta_log/{version:020}.checkpoint.parquet")
    storage.sync(f"{name}/_delta_log/_last_checkpoint")
