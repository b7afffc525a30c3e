"""Many processes that commit at once: none lost, none failed, and how fast, beside delta-rs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import lake
from benchmarks.contenders import Contender, Figures, compare
from benchmarks.label_rows import LABELS, commit_rows, label_rows
from benchmarks.result import MISSING, SPEED_COMMITS, Goal, Result
from benchmarks.setting import Setting

ROWS = 100
ATOMS = 27
MOST_TRIES = 100

Committer = Callable[[str, int, int], tuple[float, float]]
_barrier: Barrier


def measure(setting: Setting) -> list[Result]:
    """Commits per second, and how many are missing afterwards."""
    processes, each = setting.size(8, 2), setting.size(15, 2)

    def race(committer: Committer, create: Callable[[str], object], place: Path) -> float:
        create(str(place))
        return processes * each / elapsed(committer, str(place), processes, each)

    def ours(folder: Path) -> Figures:
        speed = race(commit_to_lake, lake.create, folder / "lake")
        lk = lake.open(str(folder / "lake"))
        ((rows,),) = lk.sql("SELECT COUNT(*) FROM labels").fetchall()
        missing = max(processes * each - lk.version, processes * each - rows // ROWS)
        return {SPEED_COMMITS: speed, MISSING: missing}

    def delta(folder: Path) -> Figures:
        from deltalake import DeltaTable

        speed = race(commit_to_delta, create_delta, folder / "table")
        version = DeltaTable(str(folder / "table")).version()
        return {SPEED_COMMITS: speed, MISSING: processes * each - version}

    contenders = [
        Contender("atomlake, every commit synced", ours, {MISSING: Goal(most=0)}),
        Contender("delta-rs, nothing synced", delta),
    ]
    return compare("commits", contenders, setting)


def elapsed(committer: Committer, place: str, processes: int, each: int) -> float:
    """Seconds from the first process that begins to the last that is done."""
    context = get_context("spawn")
    barrier = context.Barrier(processes)
    with context.Pool(processes, _remember, (barrier,)) as pool:
        work = partial(committer, place, each)
        times = pool.map(work, range(processes), chunksize=1)
    return max(end for _, end in times) - min(start for start, _ in times)


def _remember(barrier: Barrier) -> None:
    global _barrier  # a process has one barrier, which can only be inherited
    _barrier = barrier


def commit_to_lake(place: str, each: int, number: int) -> tuple[float, float]:
    """Commit from one process; when it began and ended, by the machine's clock."""
    lk = lake.open(place)
    return _commit(partial(commit_rows, lk), each, number)


def commit_to_delta(place: str, each: int, number: int) -> tuple[float, float]:
    """The same with delta-rs, again when it says that another was faster."""
    from deltalake import write_deltalake
    from deltalake.exceptions import DeltaError

    def append(rows: Any) -> None:
        for _ in range(MOST_TRIES):
            try:
                write_deltalake(place, rows, mode="append", partition_by=list(LABELS.partition))
            except DeltaError:
                continue
            return

    return _commit(append, each, number)


def create_delta(place: str) -> None:
    """An empty table with the columns of `labels`."""
    from deltalake import DeltaTable

    DeltaTable.create(place, LABELS.arrow, partition_by=list(LABELS.partition))


def _commit(append: Callable[[Any], None], each: int, number: int) -> tuple[float, float]:
    rows = label_rows(ROWS, ATOMS, number)
    _barrier.wait()
    start = time.monotonic()
    for _ in range(each):
        append(rows)
    return start, time.monotonic()
