"""The commit protocol: how one operation becomes part of the lake, wholly or not at all.

1. The data files are on disk already, durable, named by no log: invisible.
2. The entry of each table goes into its log, pointed-at tables first: still invisible, because no
   version of the lake names it.
3. One row and one entry go into ``commits`` at the version after the newest. Of several writers
   one gets that version; the others read what it did, check that their own work still stands, and
   try the next.
"""

from __future__ import annotations

import math
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from lake.errors import AtomlakeError, ConflictError, StorageError
from lake.log.attempt import Attempt, check_files
from lake.log.changes import Changes, Operation
from lake.log.checkpoints import CHECKPOINT_EVERY, newest_checkpoint, write_checkpoint
from lake.log.commit_entry import put_commit
from lake.log.delta_log import Entry, append_entry
from lake.log.state import COMMITS, State, newest_state
from lake.log.table_columns import create_table, refuse_newer, with_columns
from lake.storage.storage import Storage
from schemas import TABLES

__all__ = ["Changes", "Operation", "commit"]

MOST_TRIES = 1000
RECHECK_S = 10.0
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
    InvalidInputError
        A newer atomlake has written to the lake.
    """
    state = _newest_known(storage)
    earlier: list[Attempt] = []
    for _ in range(MOST_TRIES):
        with _nothing_committed():
            changes = plan(state)
            if changes is None or changes.is_empty:
                return None
            changes = _closing(changes, earlier)
            entries = _write_entries(storage, operation, changes, state)
        earlier.append(Attempt(changes, entries, state))
        committed, state = _try(storage, operation, earlier[-1])
        if committed:
            return state
    raise ConflictError(
        f"{storage.uri}: other writers changed the same rows {MOST_TRIES} times in a row. "
        "Nothing was committed. Run the same command again when they are done."
    )


def _closing(changes: Changes, earlier: Sequence[Attempt]) -> Changes:
    """The changes, which also close the entries of earlier attempts that they repeat.

    Others are left to vacuum, as are those of a writer that died: see `lake.log.holes`.
    """
    closes = {name: list(versions) for name, versions in changes.closes.items()}
    for attempt in earlier:
        for name, version in attempt.repeated_by(changes).items():
            closes.setdefault(name, []).append(version)
    return replace(changes, closes=closes)


def _try(storage: Storage, operation: Operation, attempt: Attempt) -> tuple[bool, State]:
    """Go for the version after the newest: whether we got it, and the newest state."""
    base, changes = attempt.planned_on, attempt.changes
    checked_s = -math.inf
    for n_tries in range(MOST_TRIES):
        with _nothing_committed():
            if n_tries and not attempt.stands(storage, base):
                return False, base
            # At each try this could make a writer of many files too slow ever to be the first.
            if time.monotonic() - checked_s >= RECHECK_S:
                check_files(storage, changes)
                checked_s = time.monotonic()
        state = attempt.state_after(base)
        if put_commit(storage, operation, changes, state, attempt.entries):
            _checkpoint(storage, changes, base, state)
            return True, state
        longest_s = min(_LONGEST_PAUSE_S, 0.002 * 2 ** min(n_tries, 10))
        time.sleep(random.uniform(0, longest_s))  # noqa: S311 - nothing secret
        base = _newest_known(storage)
    return False, base


def _newest_known(storage: Storage) -> State:
    """The newest version of a lake, unless a newer atomlake wrote what this one would lose."""
    with _nothing_committed():
        state = newest_state(storage)
    refuse_newer(storage, state.newer)
    return state


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
        make = partial(with_columns, storage, TABLES[name], entry)
        version = base.table(name).version
        if not version:
            create_table(storage, TABLES[name])  # the lake may be older than the table
        own[name] = append_entry(storage, name, version, make, operation.name)
    return own


def _checkpoint(storage: Storage, changes: Changes, base: State, state: State) -> None:
    """Sum up the logs that have passed a multiple of `CHECKPOINT_EVERY` with this commit."""
    for name in {COMMITS, *changes.tables}:
        version = state.table(name).version
        if version // CHECKPOINT_EVERY > base.table(name).version // CHECKPOINT_EVERY:
            # The operation is committed: a checkpoint that fails only leaves readers more to read.
            with suppress(StorageError):
                write_checkpoint(storage, name, version)


def write_due_checkpoints(storage: Storage) -> None:
    """Make up the checkpoints that commits did not write, because they could not.

    Where that fails, readers have more to read.
    """
    with suppress(AtomlakeError):
        state = newest_state(storage)
        for name in (COMMITS, *state.tables):
            version = state.table(name).version
            if version - newest_checkpoint(storage, name, version) >= CHECKPOINT_EVERY:
                write_checkpoint(storage, name, version)
