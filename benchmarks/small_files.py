"""A question to 300 small files, and to what optimize makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lake
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.label_rows import commit_rows, label_rows
from benchmarks.result import TIME, Result
from benchmarks.setting import Setting

ROWS = 100
ATOMS = 27
QUESTION = """
SELECT COUNT(*) AS n_atoms, AVG(SQRT(x * x + y * y + z * z)) AS mean_force_norm FROM atom_forces
"""


def measure(setting: Setting) -> list[Result]:
    """Seconds for the mean force over all atoms, in a lake opened anew."""
    n_files = setting.size(300, 4)
    with setting.scratch() as folder:
        lk = lake.create(str(folder / "lake"))
        for seed in range(n_files):
            commit_rows(lk, label_rows(ROWS, ATOMS, seed))
        small = lk.version
        lk.optimize()
        contenders = [
            Contender("after optimize", asking(folder / "lake", lk.version)),
            Contender(f"{n_files} files", asking(folder / "lake", small)),
        ]
        return compare("small-files", contenders, setting)


def asking(place: Path, version: int) -> Callable[[Path], Figures]:
    """Ask a version of a lake."""

    def measure_once(_: Path) -> Figures:
        lk = lake.open(str(place), version=version)
        with stopwatch() as watch:
            lk.sql(QUESTION).fetchall()
        return {TIME: watch.seconds}

    return measure_once
