"""Small frames, end to end: beside reading alone, and beside what people convert to now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import ase_databases, mace_preprocessing
from benchmarks.contenders import Contender, Figures, compare
from benchmarks.disk import disk_megabytes
from benchmarks.frames import small_frames
from benchmarks.ingest_speed import ingest_command_seconds, ingest_seconds, iread_seconds
from benchmarks.result import SIZE, SPEED_FRAMES, Goal, Result
from benchmarks.setting import Setting

FASTER_AND_SMALLER = {SPEED_FRAMES: Goal(least_ratio=1), SIZE: Goal(least_ratio=1)}


def measure(setting: Setting) -> list[Result]:
    """Frames per second and size on disk."""
    file, n_frames = small_frames(setting)

    def converting(name: str, convert: Callable[[Path], float]) -> Callable[[Path], Figures]:
        def measure_once(folder: Path) -> Figures:
            seconds = convert(folder / name)
            return {SPEED_FRAMES: n_frames / seconds, SIZE: disk_megabytes(folder / name)}

        return measure_once

    def mace(folder: Path) -> float:
        folder.mkdir()
        return mace_preprocessing.convert(file, folder)

    contenders = [
        Contender(
            "atomlake, lk.ingest", converting("lake", lambda p: ingest_seconds(p, file, n_frames))
        ),
        Contender(
            "atomlake, command", converting("lake", lambda p: ingest_command_seconds(p, file))
        ),
        Contender(
            "ase.io.iread, reading only",
            lambda _: {SPEED_FRAMES: n_frames / iread_seconds(file)},
            {SPEED_FRAMES: Goal(least_ratio=5)},
        ),
        Contender(
            ase_databases.SQLITE,
            converting("bench.db", lambda p: ase_databases.convert(file, p)),
            FASTER_AND_SMALLER,
        ),
        Contender(
            ase_databases.LMDB,
            converting("bench.aselmdb", lambda p: ase_databases.convert(file, p)),
            FASTER_AND_SMALLER,
        ),
        Contender("MACE HDF5 preprocessing", converting("mace", mace), FASTER_AND_SMALLER),
    ]
    return compare("ingest-small", contenders, setting)
