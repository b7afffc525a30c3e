"""Frames of 27,000 atoms, end to end, beside reading alone."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contenders import Contender, Figures, compare
from benchmarks.disk import file_megabytes
from benchmarks.frames import large_frames
from benchmarks.ingest_speed import ingest_seconds, iread_seconds
from benchmarks.result import SPEED_BYTES, Goal, Result
from benchmarks.setting import Setting


def measure(setting: Setting) -> list[Result]:
    """Megabytes of text per second."""
    file, n_frames = large_frames(setting)
    megabytes = file_megabytes(file)

    def atomlake(folder: Path) -> Figures:
        return {SPEED_BYTES: megabytes / ingest_seconds(folder / "lake", file, n_frames)}

    def iread(_: Path) -> Figures:
        return {SPEED_BYTES: megabytes / iread_seconds(file)}

    contenders = [
        Contender("atomlake, lk.ingest", atomlake),
        Contender("ase.io.iread, reading only", iread, {SPEED_BYTES: Goal(least_ratio=5)}),
    ]
    return compare("ingest-large", contenders, setting)
