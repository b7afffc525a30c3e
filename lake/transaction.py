"""The commit protocol: how one operation becomes part of the lake, wholly or not at all.

1. The data files are on disk already, durable, named by no log: invisible.
2. The entry of each table goes into its log, pointed-at tables first: still invisible, because no
   version of the lake names it.
3. One row and one entry go into ``commits`` at the version after the newest. Of several writers
   one gets that version; the others read what it did, check that their own work still stands, and
   try the next.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from lake.changes import Changes, Operation
from lake.commit_entry import put_commit
from lake.delta_log import Entry, append_entry, read_entry
from lake.errors import ConflictError, StorageError
from lake.log_snapshot import CHECKPOINT_EVERY, checkpoint
from lake.state import COMMITS, State, newest_state, visible_files
from lake.storage import Storage

__all__ = ["Changes", "Operation", "commit"]

MOST_TRIES = 1000
_LONGEST_PAUSE_S = 0.2


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
    with _nothing_committed():
        state = newest_state(storage)
    for _ in range(MOST_TRIES):
        with _nothing_committed():
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
    with _nothing_committed():
        own = _write_entries(storage, operation, changes, planned_on)
        _check_files(storage, changes)
    base = planned_on
    for attempt in range(MOST_TRIES):
        if attempt and not _stands(storage, changes, own, planned_on, base):
            return False, base
        state = _state_after(base, own, changes)
        if put_commit(storage, operation, changes, state, own):
            return True, state
        longest_s = min(_LONGEST_PAUSE_S, 0.002 * 2 ** min(attempt, 10))
        time.sleep(random.uniform(0, longest_s))  # noqa: S311 - nothing secret
        base = newest_state(storage)
    return False, base


@contextmanager
def _nothing_committed() -> Iterator[None]:
    """Say so in an error of the storage. Where the lake's own version is put, nobody can know."""
    try:
        yield
    except StorageError as error:
        raise StorageError(f"{error} Nothing was committed.") from error


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
    if any(_is_undone(storage, name, version, changes, now) for name, version in own.items()):
        return False
    return changes.still_valid is None or changes.still_valid(planned_on, now)


def _is_undone(storage: Storage, name: str, own: int, changes: Changes, now: State) -> bool:
    """Whether an entry above ours takes a file away that we add, or brings one back.

    What closes a hole does (see `lake.holes`), also the hole that an earlier attempt of ours left,
    with the same files. Planned again, our entry comes above that one, and the files with it.
    """
    table = now.table(name)
    added = {file.path for file in changes.added.get(name, ())}
    removed = {file.path for file in changes.removed.get(name, ())}
    for version in range(own + 1, table.version + 1):
        if version not in table.holes:
            entry = read_entry(storage, name, version)
            if not added.isdisjoint(file.path for file in entry.removed):
                return True
            if not removed.isdisjoint(file.path for file in entry.added):
                return True
    return False


def _check_files(storage: Storage, changes: Changes) -> None:
    """Refuse to point at files that vacuum took away from an operation that ran for days."""
    for name, files in changes.added.items():
        for file in files:
            if not storage.exists(f"{name}/{file.path}"):
                raise ConflictError(
                    f"{storage.url(name)}/{file.path} was deleted before it was committed. "
                    "Nothing was committed. Run the same command again, and vacuum with a "
                    "--keep-days longer than it takes."
                )


def _checkpoint(storage: Storage, state: State, changes: Changes) -> None:
    for name in {COMMITS, *changes.tables}:
        version = state.table(name).version
        if version % CHECKPOINT_EVERY == 0 and version:
            # The operation is committed: a checkpoint that fails only leaves readers more to read.
            with suppress(StorageError):
                checkpoint(storage, name, version)
