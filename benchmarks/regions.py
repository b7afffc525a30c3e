"""Regions of the scheme `legacy`, end to end, beside a direct implementation with ASE."""

from __future__ import annotations

from pathlib import Path

from ase.io import iread, write

import lake
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.direct_legacy import direct_legacy
from benchmarks.known_defects import with_defect
from benchmarks.result import SPEED_READS, Goal, Result
from benchmarks.setting import Setting
from compute.regions.request import RegionRequest, available_cores
from compute.regions.running import compute_regions
from compute.regions.scheme import LegacyScheme, Scheme, SitesScheme
from ingest.api import ingest

CELLS = 5  # along each edge: 249 atoms of bcc iron
LEAST_RATIO = 20.0


def measure(setting: Setting) -> list[Result]:
    """Structures per second of cells of 249 atoms with a vacancy."""
    many, some, few = (
        vacancies(setting, setting.size(*n)) for n in ((4_000, 4), (400, 3), (40, 2))
    )
    return compare("regions", contenders(many, some, few), setting)


def contenders(many: Path, some: Path, few: Path) -> list[Contender]:
    """Jobs with one process and with all cores; ASE on a few structures, which it reads itself."""
    goal = {SPEED_READS: Goal(least_ratio=LEAST_RATIO)}
    return [
        job("legacy, 1 process", many, LegacyScheme(), 1),
        Contender("legacy by ASE, 1 process", lambda _: directly(few), goal),
        job(f"legacy, {available_cores()} processes", many, LegacyScheme(), available_cores()),
        job("sites, 1 process", some, SitesScheme(), 1),
    ]


def job(name: str, file: Path, scheme: Scheme, workers: int) -> Contender:
    """A job from the lake to the lake."""

    def labelled(folder: Path) -> Figures:
        lk = lake.create(str(folder / "lake"))
        ingest(lk, "extxyz", [str(file)], dataset="iron")
        with stopwatch() as watch:
            report = compute_regions(lk, RegionRequest(["iron"], scheme, workers=workers))
        if report.reasons or not report.n_added:
            raise RuntimeError(f"{name}: {report.text()}")
        return {SPEED_READS: report.n_added / watch.seconds}

    return Contender(name, labelled)


def directly(file: Path) -> Figures:
    """Structures from a file, labelled and forgotten."""
    n = 0
    with stopwatch() as watch:
        for atoms in iread(file):
            direct_legacy(atoms, settles_ties=False)
            n += 1
    return {SPEED_READS: n / watch.seconds}


def vacancies(setting: Setting, n: int) -> Path:
    """A file of so many structures, written once."""
    setting.folder.mkdir(parents=True, exist_ok=True)
    file = setting.folder / f"vacancies-{n}.extxyz"
    if not file.exists():
        made = [with_defect("bcc", CELLS, "vacancy", 0.05, seed).atoms for seed in range(n)]
        write(file, made)
    return file


if __name__ == "__main__":
    from benchmarks.table import table_text

    print(table_text(measure(Setting())))
