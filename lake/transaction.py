"""The commit protocol: how one operation becomes part of the lake, wholly or not at all.

1. The data files are on disk already, durable, named by no log: invisible.
2. The entry of each table goes into its log, pointed-at tables first: still invisible, because no
   version of the lake names it.
3. One row and one entry go into ``commits`` at the version after the newest. Of several writers
   one gets that version; the others read what it did, check that their own work still stands, and
   try the next.
"""

from __future__ import annotations

import getpass
import json
import random
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from lake.data_files import DataFile, write_data_file
from lake.delta_log import CHECKPOINT_EVERY, Entry, append_entry, checkpoint, put_entry
from lake.errors import ConflictError
from lake.state import COMMITS, State, newest_state, visible_files
from lake.storage import Storage
from lake.version import __version__
from schemas import TABLES

MOST_TRIES = 1000
_LONGEST_PAUSE_S = 0.2


@dataclass(frozen=True)
class Operation:
    """What is being done, for the row in ``commits``."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    operation_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Changes:
    """Data files an operation adds to tables and removes from them.

    ``closes`` names entries of tables that stay out of the lake for ever. ``still_valid(old, new)``
    says whether the changes, planned on one version of the lake, may follow a newer one.
    """

    added: Mapping[str, Sequence[DataFile]] = field(default_factory=dict)
    removed: Mapping[str, Sequence[DataFile]] = field(default_factory=dict)
    closes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    still_valid: Callable[[State, State], bool] | None = None

    @property
    def tables(self) -> list[str]:
        """Names of the tables changed, in the order in which they are committed."""
        return [t for t in TABLES if self.added.get(t) or self.removed.get(t)]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not self.tables and not any(self.closes.values())


def commit(
    storage: Storage, operation: Operation, plan: Callable[[State], Changes | None]
) -> State | None:
    """Make one operation part of the lake.

    Parameters
    ----------
    plan
        Gives the changes on top of a version of the lake; asked again when another writer has
        made them wrong. None, or no change at all, commits nothing.

    Returns
    -------
    The version of the lake that holds the operation; None when there was nothing to commit.

    Raises
    ------
    ConflictError
        Others were faster too many times.
    """
    state = newest_state(storage)
    for _ in range(MOST_TRIES):
        changes = plan(state)
        if changes is None or changes.is_empty:
            return None
        committed, state = _try(storage, operation, changes, state)
        if committed:
            _checkpoint(storage, state, changes)
            return state
    raise ConflictError(
        f"{storage.uri}: other writers changed the same rows {MOST_TRIES} times in a row. "
        "Nothing was committed. Run the same command again when they are done."
    )


def _try(
    storage: Storage, operation: Operation, changes: Changes, planned_on: State
) -> tuple[bool, State]:
    """One go at the whole protocol: whether it was committed, and the newest state."""
    own = _write_entries(storage, operation, changes, planned_on)
    base = planned_on
    for attempt in range(MOST_TRIES):
        if attempt and not _stands(storage, changes, own, planned_on, base):
            return False, base
        state = _state_after(base, own, changes)
        if _put_commit(storage, operation, changes, state):
            return True, state
        longest_s = min(_LONGEST_PAUSE_S, 0.002 * 2 ** min(attempt, 10))
        time.sleep(random.uniform(0, longest_s))  # noqa: S311 - nothing secret
        base = newest_state(storage)
    return False, base


def _write_entries(
    storage: Storage, operation: Operation, changes: Changes, base: State
) -> dict[str, int]:
    own = {}
    for name in changes.tables:
        if name == COMMITS:
            continue  # its changes ride on the entry that commits
        note = {"operation_id": operation.operation_id, "attempt_id": uuid.uuid4().hex}
        entry = Entry(
            tuple(changes.added.get(name, ())), tuple(changes.removed.get(name, ())), note
        )
        own[name] = append_entry(storage, name, base.table(name).version, entry, operation.name)
    return own


def _state_after(base: State, own: Mapping[str, int], changes: Changes) -> State:
    tables = dict(base.tables)
    for name in {*own, *changes.closes}:
        mine = [own[name]] if name in own else []
        tables[name] = base.table(name).after(mine, changes.closes.get(name, ()))
    return State(base.version + 1, tables)


def _stands(
    storage: Storage, changes: Changes, own: Mapping[str, int], planned_on: State, now: State
) -> bool:
    """Whether the changes may follow a version of the lake they were not planned on."""
    if not all(now.table(name).admits(version) for name, version in own.items()):
        return False
    for name, files in changes.removed.items():
        if files and now.table(name) != planned_on.table(name):
            visible = visible_files(storage, now, name)
            if any(file.path not in visible for file in files):
                return False
    return changes.still_valid is None or changes.still_valid(planned_on, now)


def _put_commit(storage: Storage, operation: Operation, changes: Changes, state: State) -> bool:
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
        "tables": state.as_json(),
    }
    entry = Entry(
        (file, *changes.added.get(COMMITS, ())), tuple(changes.removed.get(COMMITS, ())), note
    )
    if put_entry(storage, COMMITS, state.version, entry, operation.name):
        return True
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


def _checkpoint(storage: Storage, state: State, changes: Changes) -> None:
    for name in {COMMITS, *changes.tables}:
        version = state.table(name).version
        if version % CHECKPOINT_EVERY == 0 and version:
            checkpoint(storage, name, version)


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        return None
