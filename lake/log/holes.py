"""Closing holes: entries of a table's log whose operation never became part of the lake.

Our readers pass over a hole; Spark, Trino and DuckDB's delta extension read the log as it is and
see its rows. Closing a hole writes one more entry that undoes it, so that all see the same. The
past stays as it was: its versions still pass over the hole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lake.log.changes import Changes
from lake.log.data_files import DataFile
from lake.log.delta_log import read_entry
from lake.log.state import COMMITS, State, TableState, visible_files
from lake.storage.storage import Storage
from schemas import TABLES

if TYPE_CHECKING:
    from lake.lake import Lake


def find_holes(storage: Storage, state: State, before_s: float) -> dict[str, list[int]]:
    """Entries written before a time, in s since 1970, that belong to no version; per table.

    Holes of `state`, and entries above the newest it knows, whose operation crashed or is still on
    its way.
    """
    found: dict[str, list[int]] = {}
    for name, version, written_s in _uncommitted(storage, state):
        if written_s < before_s:
            found.setdefault(name, []).append(version)
    return {name: sorted(versions) for name, versions in found.items()}


def pending_files(storage: Storage, state: State, since_s: float) -> dict[str, set[str]]:
    """Data files, per table, of entries that are still free to become part of the lake.

    Only of entries written since a time, in s since 1970: older ones count as dead.
    """
    found: dict[str, set[str]] = {name: set() for name in TABLES}
    for name, version, written_s in _uncommitted(storage, state):
        if written_s >= since_s:
            found[name].update(file.path for file in read_entry(storage, name, version).added)
    return found


def _uncommitted(storage: Storage, state: State) -> Iterator[tuple[str, int, float]]:
    """Table, version and time of writing of every entry that belongs to no version of the lake."""
    for name in TABLES:
        table = state.table(name)
        if name == COMMITS:
            continue
        for file in storage.list_files(f"{name}/_delta_log"):
            stem, _, ending = file.path.rpartition("/")[2].partition(".")
            if ending == "json" and stem.isdigit() and int(stem) and table.admits(int(stem)):
                yield name, int(stem), file.modified_s


def close_holes(lake: Lake, before_s: float) -> int | None:
    """Close the holes that are older than a time, in s since 1970; the version, if there were any.

    A writer that is still alive finds its entry closed when it comes to commit, and writes another.
    """

    def plan(state: State) -> Changes | None:
        holes = find_holes(lake.storage, state, before_s)
        if not holes:
            return None
        undone = {name: _undo(lake.storage, state, name, holes[name]) for name in holes}

        def still_valid(old: State, new: State) -> bool:
            return all(old.table(name) == new.table(name) for name in holes)

        return Changes(
            added={name: added for name, (added, _) in undone.items()},
            removed={name: removed for name, (_, removed) in undone.items()},
            closes={name: _closable(state, name, holes[name], undone[name]) for name in holes},
            still_valid=still_valid,
        )

    return lake.commit("vacuum", plan, arguments={"closes": "entries that were never committed"})


Undone = tuple[list[DataFile], list[DataFile]]


def _undo(storage: Storage, state: State, name: str, holes: list[int]) -> Undone:
    """Files to add and to remove so that with the holes the table is what it is without them."""
    table = state.table(name)
    newest = max(table.version, *holes)
    passed_over = table.holes | set(range(table.version + 1, newest + 1))
    merged = TableState(newest, frozenset(passed_over.difference(holes)))
    right = visible_files(storage, state, name)
    wrong = visible_files(storage, State(state.version, {name: merged}), name)
    # No row comes or goes for our readers: the counts of the commit say so.
    added = [replace(right[p], n_rows=0) for p in sorted(right.keys() - wrong.keys())]
    return added, [replace(wrong[p], n_rows=0) for p in sorted(wrong.keys() - right.keys())]


def _closable(state: State, name: str, holes: list[int], undone: Undone) -> list[int]:
    """The holes one can close: without an entry to write, the table's version stays below some."""
    return holes if any(undone) else [v for v in holes if v <= state.table(name).version]
