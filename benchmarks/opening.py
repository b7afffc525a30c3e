"""How long a lake of 1,000 commits takes to open, and a program to start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lake
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.ingest_speed import atomlake_path
from benchmarks.label_rows import commit_rows, label_rows
from benchmarks.result import TIME, Goal, Result
from benchmarks.setting import Setting

OPENS_WITHIN_S = 0.2
STARTS_WITHIN_S = 0.5


def measure(setting: Setting) -> list[Result]:
    """Seconds."""
    n_commits = setting.size(1_000, 5)
    with setting.scratch() as folder:
        lk = lake.create(str(folder / "lake"))
        for seed in range(n_commits):
            commit_rows(lk, label_rows(1, 2, seed))
        results = compare(
            f"opening {n_commits:,} commits", reading(folder / "lake"), setting, is_race=False
        )
    return results + compare("starting", programs(), setting, is_race=False)


def reading(place: Path) -> list[Contender]:
    """Opening a lake, and its first question."""

    def opening(_: Path) -> Figures:
        with stopwatch() as watch:
            lake.open(str(place)).version  # noqa: B018  # reading the version is the work
        return {TIME: watch.seconds}

    def first_question(_: Path) -> Figures:
        lk = lake.open(str(place))
        with stopwatch() as watch:
            lk.sql("SELECT COUNT(*) FROM labels").fetchall()
        return {TIME: watch.seconds}

    def log(_: Path) -> Figures:
        lk = lake.open(str(place))
        with stopwatch() as watch:
            lk.log()
        return {TIME: watch.seconds}

    return [
        Contender("lake.open", opening, {TIME: Goal(most=OPENS_WITHIN_S)}),
        Contender("first SELECT COUNT(*)", first_question),
        Contender("lk.log()", log),
    ]


def programs() -> list[Contender]:
    """Programs in processes of their own."""

    def running(*command: str) -> Callable[[Path], Figures]:
        def measure_once(_: Path) -> Figures:
            with stopwatch() as watch:
                subprocess.run(command, check=True, capture_output=True)
            return {TIME: watch.seconds}

        return measure_once

    goals = {TIME: Goal(most=STARTS_WITHIN_S)}
    return [
        Contender("python -c pass", running(sys.executable, "-c", "pass")),
        Contender("import lake", running(sys.executable, "-c", "import lake"), goals),
        Contender(
            "import lake; lake.open", running(sys.executable, "-c", "import lake; lake.open")
        ),
        Contender("atomlake --help", running(atomlake_path(), "--help"), goals),
    ]
