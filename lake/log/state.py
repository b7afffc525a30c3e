"""What one version of the lake consists of: a Delta version of every table, and its holes.

An operation writes an entry into the log of each table it touches and then, last, one into the log
of ``commits``. Only that last entry makes it part of the lake. An entry whose operation never got
there (it crashed, or is still on its way) is a hole: readers pass over it. Every entry of
``commits`` carries the whole state after it, because it is written only by one who has read the
state before it; so a reader opens one file, however long the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lake.errors import CorruptLakeError, NotFoundError
from lake.log.data_files import DataFile
from lake.log.delta_log import newest_version, read_entries, read_entry
from lake.log.log_snapshot import replay, snapshot
from lake.log.table_columns import newer_tables
from lake.storage.storage import Storage

COMMITS = "commits"


@dataclass(frozen=True)
class TableState:
    """A table in one version of the lake: its Delta version, less the entries in `holes`."""

    version: int = 0
    holes: frozenset[int] = frozenset()

    def after(self, own: Iterable[int], closed: Iterable[int] = ()) -> TableState:
        """The state once an operation that wrote the entries `own` is committed."""
        own = set(own)
        newest = max(own, default=self.version)
        passed_over = set(range(self.version + 1, newest + 1))
        holes = (self.holes | passed_over) - own - set(closed)
        return TableState(max(self.version, newest), frozenset(holes))

    def admits(self, own: int) -> bool:
        """Whether an entry is still free to become part of the lake."""
        return own > self.version or own in self.holes


@dataclass(frozen=True)
class State:
    """One version of the lake; ``newer`` names tables with columns only a newer atomlake knows."""

    version: int
    tables: Mapping[str, TableState] = field(default_factory=dict)
    newer: tuple[str, ...] = ()

    def table(self, name: str) -> TableState:
        """The state of one table; of `commits` it is the lake's own version."""
        if name == COMMITS:
            return TableState(self.version)
        return self.tables.get(name, TableState())

    def as_json(self) -> dict[str, Any]:
        """What an entry of `commits` carries."""
        return {
            name: {"version": table.version, "holes": sorted(table.holes)}
            for name, table in self.tables.items()
        }


def newest_state(storage: Storage) -> State:
    """The newest version of the lake.

    Raises
    ------
    NotFoundError
        There is no lake.
    """
    try:
        version = newest_version(storage, COMMITS)
    except NotFoundError:
        raise NotFoundError(
            f"{storage.uri} holds no lake. Expected a folder made by 'atomlake init'. "
            "Check --lake or ATOMLAKE, or make one there."
        ) from None
    return read_state(storage, version)


def read_state(storage: Storage, version: int) -> State:
    """The lake at one version.

    Raises
    ------
    CorruptLakeError
        The entry is missing, or was not written by atomlake.
    """
    if version == 0:
        return State(0)
    note = read_entry(storage, COMMITS, version).note
    if "tables" not in note:
        raise CorruptLakeError(
            f"{storage.url(COMMITS)}, version {version}: the entry does not say which tables it "
            "stands for. Only atomlake may write to this table. Restore the folder from a copy."
        )
    tables = {
        name: TableState(table["version"], frozenset(table["holes"]))
        for name, table in note["tables"].items()
    }
    return State(version, tables, newer_tables(note.get("columns", {})))


def visible_files(storage: Storage, state: State, name: str) -> dict[str, DataFile]:
    """The data files of a table that belong to a version of the lake, by path."""
    table = state.table(name)
    if not table.holes:
        return snapshot(storage, name, table.version)
    # Undoing a hole is not enough where later entries touched its files, so the log is replayed
    # without it. Vacuum closes old holes.
    first = min(table.holes)
    versions = [v for v in range(first, table.version + 1) if v not in table.holes]
    start = snapshot(storage, name, first - 1)
    return replay(start, read_entries(storage, name, versions))
