"""Ways of getting extended XYZ into a lake, timed."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import lake
from benchmarks.contenders import stopwatch

WORKERS = 2
DATASET = "bench"


def atomlake_path() -> str:
    """The command, in the environment this runs in."""
    return str(Path(sysconfig.get_path("scripts")) / "atomlake")


def ingest_command(lake_path: Path, file: Path) -> list[str]:
    """The words of a command that ingests a file."""
    words = ["ingest", "extxyz", str(file), "--dataset", DATASET, "--workers", str(WORKERS)]
    return [atomlake_path(), "--lake", str(lake_path), *words]


def ingest_seconds(lake_path: Path, file: Path, n_frames: int) -> float:
    """Read, validate, write, sync and commit a file in this process and its workers."""
    lk = lake.create(str(lake_path))
    with stopwatch() as watch:
        report = lk.ingest("extxyz", [str(file)], dataset=DATASET, workers=WORKERS)
    if report.total("rows") != n_frames:
        raise RuntimeError(f"{file}: {report.text()} Expected {n_frames} rows.")
    return watch.seconds


def ingest_command_seconds(lake_path: Path, file: Path) -> float:
    """The same as a command: start of the program and imports included."""
    lake.create(str(lake_path))
    with stopwatch() as watch:
        subprocess.run(ingest_command(lake_path, file), check=True, capture_output=True)
    return watch.seconds


def iread_seconds(file: Path) -> float:
    """Read every frame with ASE and do nothing with it."""
    from ase.io import iread

    with stopwatch() as watch:
        for _ in iread(file, format="extxyz"):
            pass
    return watch.seconds
