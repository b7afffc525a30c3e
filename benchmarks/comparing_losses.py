"""How long `atomlake query losses` takes, with figures and report, and how much memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lake
from benchmarks.compared_losses import DATASET, LOSSES, SEEDS, write_losses
from benchmarks.contenders import Contender, Figures, compare
from benchmarks.ingest_speed import atomlake_path
from benchmarks.process_memory import peak_memory
from benchmarks.result import MEMORY_TREE, TIME, Goal, Result
from benchmarks.setting import Setting

MB = 1e6
N_EPOCHS = 100
WITHIN_S, WITHIN_MB = 60.0, 4_000.0


def measure(setting: Setting) -> list[Result]:
    """Six losses, three seeds, 750 structures of 250 atoms, and their training curves."""
    n_structures, n_atoms = setting.size(750, 5), setting.size(250, 10)
    with setting.scratch() as folder:
        place = folder / "lake"
        write_losses(lake.create(str(place)), n_structures, n_atoms, setting.size(N_EPOCHS, 3))
        question = f"{len(LOSSES) * len(SEEDS)} models, {n_structures} × {n_atoms} atoms"
        goals = {TIME: Goal(most=WITHIN_S), MEMORY_TREE: Goal(most=WITHIN_MB)}
        return compare(
            question,
            [
                Contender("query losses --report", asking(place, "--report"), goals),
                Contender("query losses --no-figures", asking(place, "--no-figures")),
            ],
            setting,
            is_race=False,
        )


def asking(place: Path, *options: str) -> Callable[[Path], Figures]:
    """The command, as a user gives it."""

    def measure_once(folder: Path) -> Figures:
        command = (atomlake_path(), "query", "losses", "--lake", str(place), "--dataset", DATASET)
        peak = peak_memory([*command, "-o", str(folder / "out"), *options])
        return {TIME: peak.seconds, MEMORY_TREE: peak.tree / MB}

    return measure_once
