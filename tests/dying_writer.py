"""Writers for the fault tests, run as processes of their own: ``python -m dying_writer``.

``die LAKE LEVEL WHEN K`` runs one ingest and kills itself at its K-th write; with K = -1 it lives
and prints how many writes there were. ``append LAKE WRITER N`` commits N times.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from lake_samples import files, label, source, structure

import lake
from lake.lake import Lake
from lake.log import transaction
from lake.log.changes import Changes
from lake.log.state import State
from lake.reader import Reader
from lake.storage.local_storage import LocalStorage

NEW_ROWS = (3, 4)
NEW_SOURCE = 3

LEVELS: dict[str, list[tuple[Any, str]]] = {
    "storage": [(LocalStorage, name) for name in ("put_new", "put", "delete", "sync")],
    "system": [(os, name) for name in ("fsync", "link", "replace", "mkdir", "unlink")],
}


def ingest_once(lk: Lake) -> int | None:
    """Add structures, labels and their source, unless the source is there."""

    def plan(state: State) -> Changes | None:
        there = Reader(lk.storage, state).scan("sources").collect()["source_id"]
        if NEW_SOURCE in there:
            return None
        rows = {
            "labels": [label(i, source_id=NEW_SOURCE) for i in NEW_ROWS],
            "structures": [structure(i, source_id=NEW_SOURCE) for i in NEW_ROWS],
            "sources": [source(len(NEW_ROWS), identity=NEW_SOURCE)],
        }
        return Changes(added={name: files(lk, name, each) for name, each in rows.items()})

    return lk.commit("ingest", plan)


class Fate:
    """Counts writes, and ends the process at one of them."""

    def __init__(self, when: str, last: int) -> None:
        self.when = when
        self.last = last
        self.count = 0

    def watch(self, owner: Any, name: str) -> None:
        write = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self._meet("before")
            try:
                return write(*arguments, **named)
            finally:
                self._meet("after")
                self.count += 1

        setattr(owner, name, watched)

    def watch_create(self) -> None:
        """The stream of a new file: before it is opened, and after it is durable."""
        create = LocalStorage.create

        @contextmanager
        def watched(storage: LocalStorage, path: str) -> Iterator[BinaryIO]:
            self._meet("before")
            with create(storage, path) as stream:
                yield stream
            self._meet("after")
            self.count += 1

        LocalStorage.create = watched

    def _meet(self, moment: str) -> None:
        if moment == self.when and self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def die(uri: str, level: str, when: str, last: str) -> None:
    transaction.CHECKPOINT_EVERY = 3  # this commit writes checkpoints too
    lk = lake.open(uri)
    fate = Fate(when, int(last))
    for owner, name in LEVELS[level]:
        fate.watch(owner, name)
    if level == "storage":
        fate.watch_create()
    ingest_once(lk)
    sys.stdout.write(str(fate.count))


def append(uri: str, writer: str, number: str) -> None:
    lk = lake.open(uri)
    for i in range(int(number)):
        rows = files(lk, "structures", [structure(1000 * int(writer) + i, source_id=None)])
        version = lk.commit("append", lambda state, rows=rows: Changes(added={"structures": rows}))
        assert version is not None


COMMANDS: dict[str, Callable[..., None]] = {"die": die, "append": append}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
