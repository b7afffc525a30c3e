"""Peak memory of an ingest: a file of 2 GiB, and one frame of a million atoms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lake
from benchmarks.contenders import Contender, Figures, compare
from benchmarks.disk import MEGABYTE, file_megabytes
from benchmarks.frames import huge_frame, long_file
from benchmarks.ingest_speed import ingest_command
from benchmarks.process_memory import peak_memory
from benchmarks.result import MEMORY_PROCESS, MEMORY_TREE, SPEED_BYTES, Goal, Result
from benchmarks.setting import Setting

MOST_MEGABYTES = 1000


def measure(setting: Setting) -> list[Result]:
    """Once each: a peak hardly varies, and 2 GiB take their time."""
    long, n_frames = long_file(setting)
    huge, n_atoms = huge_frame(setting)
    goals = {MEMORY_TREE: Goal(most=MOST_MEGABYTES)}
    contenders = [
        Contender(f"{file_megabytes(long):,.0f} MB, {n_frames:,} frames", watching(long), goals),
        Contender(f"1 frame of {n_atoms:,} atoms", watching(huge), goals),
    ]
    return compare("memory", contenders, setting, repeats=1, is_race=False)


def watching(file: Path) -> Callable[[Path], Figures]:
    """Ingest a file by command and watch its processes."""

    def measure_once(folder: Path) -> Figures:
        lake.create(str(folder / "lake"))
        peak = peak_memory(ingest_command(folder / "lake", file))
        return {
            MEMORY_TREE: peak.tree / MEGABYTE,
            MEMORY_PROCESS: peak.largest / MEGABYTE,
            SPEED_BYTES: file_megabytes(file) / peak.seconds,
        }

    return measure_once
