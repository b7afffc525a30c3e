"""Deleting files that no kept version of a lake needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError
from lake.log.holes import close_holes, pending_files
from lake.log.state import State, newest_state, read_state
from lake.log.table_columns import refuse_newer
from lake.reader import Reader
from lake.storage.storage import Storage
from lake.upkeep.leftovers import Leftover, Named, find_leftovers, named_files
from lake.versions.history import log
from lake.versions.tags import list_tags
from schemas import TABLES

if TYPE_CHECKING:
    import polars as pl

    from lake.lake import Lake

KEEP = ("all", "tagged")
_DAY_S = 86_400.0


def vacuum(
    lake: Lake, *, dry_run: bool = True, keep_days: float = 7.0, keep_versions: str = "all"
) -> pl.DataFrame:
    """Delete what crashed operations left behind, and what forgotten versions needed.

    Files younger than `keep_days` stay, whatever they are: an operation writes its files first and
    commits them last, so what no version names may be about to be named. `keep_days` must be longer
    than the longest operation takes. Files an entry names that is younger stay too, so what counts
    is the time to that entry. An operation that takes longer finds, before it commits, that its
    files are gone, and fails; nothing then points at them.

    A window is left: such an operation looks at its files at most ten seconds before it commits,
    and vacuum looks at the log once, just before it deletes. If it commits after that look and
    before a look of its own that finds them gone, the lake names files that are gone, which `check`
    reports. Only operations longer than `keep_days` are in danger, so nothing should run while one
    vacuums with ``keep_days=0``.

    Entries that crashed operations left in the logs are closed before, as a version of its own, so
    that other Delta readers see what we see. See `lake.log.holes`.

    Parameters
    ----------
    dry_run
        Only say what would be deleted.
    keep_days
        Age in days that a file must reach.
    keep_versions
        ``all`` keeps every version readable. ``tagged`` keeps the newest, the tagged ones, and
        those that were the newest within the last `keep_days`; the others stay in the log, and
        reading them fails.

    Returns
    -------
    One row per file: path below the lake, size in bytes, reason, and whether it was deleted.

    Raises
    ------
    InvalidInputError
        A parameter is none of these, or a newer atomlake has written to the lake.
    """
    if keep_versions not in KEEP:
        raise InvalidInputError(
            f"keep_versions is {keep_versions!r}. Expected {' or '.join(map(repr, KEEP))}."
        )
    if not keep_days >= 0:
        raise InvalidInputError(f"keep_days is {keep_days}. Expected 0 or more.")
    before_s = time.time() - keep_days * _DAY_S
    if not dry_run:
        close_holes(lake, before_s)
    found = list(_old_leftovers(lake.storage, keep_versions, before_s))
    if not dry_run:
        for file in found:
            lake.storage.delete(file.path)
    return _frame(found, deleted=not dry_run)


def _old_leftovers(storage: Storage, keep_versions: str, before_s: float) -> Iterator[Leftover]:
    found = find_leftovers(storage, lambda: _needed(storage, keep_versions, before_s))
    return (file for file in found if file.modified_s < before_s)


def _needed(storage: Storage, keep_versions: str, before_s: float) -> Named:
    state = newest_state(storage)
    refuse_newer(storage, state.newer)  # a table we do not know may point at latents
    kept = (
        named_files(storage, state)
        if keep_versions == "all"
        else _needed_by_kept(storage, state, before_s)
    )
    pending = pending_files(storage, state, before_s)
    return {name: kept[name] | pending[name] for name in TABLES}


def _needed_by_kept(storage: Storage, newest: State, before_s: float) -> dict[str, set[str]]:
    needed: dict[str, set[str]] = {name: set() for name in TABLES}
    for version in _kept_versions(Reader(storage, newest), before_s):
        reader = Reader(storage, read_state(storage, version))
        for name, paths in needed.items():
            paths.update(file.path for file in reader.files(name))
    return needed


def _kept_versions(reader: Reader, before_s: float) -> set[int]:
    """The newest version, the tagged ones, and those another followed only after `before_s`."""
    since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=before_s)
    rows = log(reader).select("version", "committed_at").iter_rows()
    recent = {version - 1 for version, committed_at in rows if committed_at >= since}
    return {reader.state.version, *list_tags(reader)["version"], *recent}


def _frame(found: list[Leftover], *, deleted: bool) -> pl.DataFrame:
    import polars as pl

    records = [(file.path, file.size, file.reason, deleted) for file in found]
    schema = {"file": pl.String, "size": pl.Int64, "reason": pl.String, "deleted": pl.Boolean}
    return pl.DataFrame(records, schema=schema, orient="row").sort("file")
