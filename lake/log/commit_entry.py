"""The row and the entry of ``commits`` with which an operation becomes part of the lake."""

from __future__ import annotations

import getpass
import json
import socket
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import pyarrow as pa

from lake.errors import StorageError
from lake.log.changes import Changes, Operation
from lake.log.data_files import write_data_file
from lake.log.delta_log import Entry, put_entry
from lake.log.state import COMMITS, State
from lake.log.table_columns import declared_columns, with_columns
from lake.storage.storage import Storage
from lake.version import __version__
from schemas import TABLES


def put_commit(
    storage: Storage,
    operation: Operation,
    changes: Changes,
    state: State,
    own: Mapping[str, int],
) -> bool:
    """Make `state` the next version of the lake; False when another writer has that version.

    Parameters
    ----------
    own
        Version of the entry the operation wrote into the log of each table.
    """
    table = TABLES[COMMITS]
    row = {
        "version": state.version,
        "operation": operation.name,
        "arguments": json.dumps(operation.arguments, default=str),
        "committed_at": datetime.now(UTC),
        "code_version": __version__,
        "user": _user(),
        "host": socket.gethostname(),
        "counts": json.dumps(_counts(changes)),
        "inputs": json.dumps(operation.inputs, default=str),
        "tables": json.dumps(state.as_json()),
        "operation_id": operation.operation_id,
    }
    attempt_id = uuid.uuid4().hex
    rows = pa.Table.from_pylist([row], schema=table.file_arrow)
    file = write_data_file(storage, table, {}, f"{state.version:020}-{attempt_id}", rows)
    note = {
        "operation_id": operation.operation_id,
        "attempt_id": attempt_id,
        "entries": dict(own),
        "tables": state.as_json(),
        "columns": declared_columns(),
    }
    entry = Entry(
        (file, *changes.added.get(COMMITS, ())), tuple(changes.removed.get(COMMITS, ())), note
    )
    entry = with_columns(storage, table, entry, state.version - 1)
    if put_entry(storage, COMMITS, state.version, entry, operation.name):
        return True
    with suppress(StorageError):  # vacuum takes what cannot be taken now
        storage.delete(f"{COMMITS}/{file.path}")
    return False


def _counts(changes: Changes) -> dict[str, dict[str, int]]:
    return {
        name: {
            "rows_added": sum(f.n_rows for f in changes.added.get(name, ())),
            "rows_removed": sum(f.n_rows for f in changes.removed.get(name, ())),
        }
        for name in changes.tables
    }


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        return None
