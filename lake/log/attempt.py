"""One attempt at committing an operation: its changes, its entries, and whether they still hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lake.errors import ConflictError
from lake.latents.latent_writer import MANIFEST
from lake.log.changes import Changes
from lake.log.data_files import DataFile
from lake.log.delta_log import read_entry
from lake.log.state import State, visible_files
from lake.storage.storage import Storage
from lake.upkeep.leftovers import stores_pointed_at

EMBEDDINGS = "embeddings"


@dataclass(frozen=True)
class Attempt:
    """Changes planned on a version of the lake, and the entry they have in each table's log."""

    changes: Changes
    entries: Mapping[str, int]
    planned_on: State

    def state_after(self, base: State) -> State:
        """The version of the lake that follows `base` once this is committed."""
        changes = self.changes
        tables = dict(base.tables)
        for name in {*self.entries, *changes.closes}:
            mine = [self.entries[name]] if name in self.entries else []
            tables[name] = base.table(name).after(mine, changes.closes.get(name, ()))
        return State(base.version + 1, tables)

    def stands(self, storage: Storage, now: State) -> bool:
        """Whether the changes may follow a version of the lake they were not planned on."""
        changes = self.changes
        if not all(now.table(name).admits(version) for name, version in self.entries.items()):
            return False
        for name, files in changes.removed.items():
            if files and now.table(name) != self.planned_on.table(name):
                visible = visible_files(storage, now, name)
                if any(file.path not in visible for file in files):
                    return False
        if any(self._is_undone(storage, name, now) for name in self.entries):
            return False
        return changes.still_valid is None or changes.still_valid(self.planned_on, now)

    def _is_undone(self, storage: Storage, name: str, now: State) -> bool:
        """Whether an entry above ours takes a file away that we add, or brings one back.

        What closes a hole does (see `lake.log.holes`), also the hole that an earlier attempt of
        ours left, with the same files. Planned again, our entry comes above that one, and the files
        with it.
        """
        table = now.table(name)
        added, removed = _paths(self.changes.added, name), _paths(self.changes.removed, name)
        for version in range(self.entries[name] + 1, table.version + 1):
            if version not in table.holes:
                entry = read_entry(storage, name, version)
                if not added.isdisjoint(file.path for file in entry.removed):
                    return True
                if not removed.isdisjoint(file.path for file in entry.added):
                    return True
        return False

    def repeated_by(self, later: Changes) -> dict[str, int]:
        """Our entries that change nothing once `later` has an entry above them, per table."""
        return {
            name: version
            for name, version in self.entries.items()
            if name in later.tables
            and _paths(self.changes.added, name) <= _paths(later.added, name)
            and _paths(self.changes.removed, name) <= _paths(later.removed, name)
        }


def check_files(storage: Storage, changes: Changes) -> None:
    """Refuse to point at what vacuum took away from an operation that ran for days.

    Raises
    ------
    ConflictError
        A file that is added, or the latents that new rows point at, are not there.
    """
    wanted = [f"{name}/{file.path}" for name, files in changes.added.items() for file in files]
    _check_there(storage, wanted)
    if changes.added.get(EMBEDDINGS) and not changes.removed.get(EMBEDDINGS):
        stores = stores_pointed_at(storage, _paths(changes.added, EMBEDDINGS))
        _check_there(storage, [f"{store}/{MANIFEST}" for store in sorted(stores)])


def _check_there(storage: Storage, wanted: Iterable[str]) -> None:
    for path in wanted:
        if not storage.exists(path):
            raise ConflictError(
                f"{storage.url(path)} was deleted before it was committed. Nothing was committed. "
                "Run the same command again, and vacuum with a --keep-days longer than it takes."
            )


def _paths(files: Mapping[str, Iterable[DataFile]], name: str) -> set[str]:
    return {file.path for file in files.get(name, ())}
