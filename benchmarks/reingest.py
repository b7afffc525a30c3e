"""An unchanged file again, beside reading it once for its checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path

import lake
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.frames import long_file, small_frames
from benchmarks.ingest_speed import DATASET, WORKERS, ingest_seconds
from benchmarks.result import TIME, Goal, Result
from benchmarks.setting import Setting

# "No slower", and room for noise.
GOAL = Goal(least_ratio=0.95)


def measure(setting: Setting) -> list[Result]:
    """Seconds, for a small file and a long one."""
    results = []
    for kind, (file, n_frames) in {
        "small": small_frames(setting),
        "long": long_file(setting),
    }.items():
        with setting.scratch() as folder:
            ingest_seconds(folder / "lake", file, n_frames)
            results += compare(f"reingest-{kind}", contenders(folder / "lake", file), setting)
    return results


def contenders(lake_path: Path, file: Path) -> list[Contender]:
    """Ingest again, and the checksum alone."""

    def again(_: Path) -> Figures:
        lk = lake.open(str(lake_path))
        with stopwatch() as watch:
            report = lk.ingest("extxyz", [str(file)], dataset=DATASET, workers=WORKERS)
        if report.version is not None:
            raise RuntimeError(f"{file}: {report.text()} Expected nothing to be added.")
        return {TIME: watch.seconds}

    def checksum(_: Path) -> Figures:
        with stopwatch() as watch, file.open("rb") as stream:
            hashlib.file_digest(stream, "sha256")
        return {TIME: watch.seconds}

    return [
        Contender("atomlake, file unchanged", again),
        Contender("sha256 of the file", checksum, {TIME: GOAL}),
    ]
