"""Lakes that grew old, and operations that died in them."""

from __future__ import annotations

import os
from typing import Any

from lake_samples import files

from lake.lake import Lake
from lake.log.delta_log import Entry, append_entry
from lake.log.state import newest_state


def age(lk: Lake, days: float = 30.0) -> None:
    """Let everything in the lake be as old as that."""
    for file in lk.storage.root.rglob("*"):
        if file.is_file():
            then = file.stat().st_mtime - days * 86_400
            os.utime(file, (then, then))


def crash(lk: Lake, rows: list[dict[str, Any]], removed: tuple[Any, ...] = ()) -> int:
    """What an operation leaves that died between its entries and its commit."""
    added = tuple(files(lk, "structures", rows))
    entry = Entry(added, removed, {"operation_id": "dead", "attempt_id": "dead"})
    after = newest_state(lk.storage).table("structures").version
    return append_entry(lk.storage, "structures", after, lambda _: entry, "ingest")
