"""Variance of latents over four members: from the lake, bare, in numpy, and from text."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

import lake
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.disk import MEGABYTE
from benchmarks.ood_lake import DATASET, MEMBERS, make_lake, write_text
from benchmarks.result import MEMORY_PROCESS, TIME, Goal, Quantity, Result
from benchmarks.setting import Setting
from queries.ood.choosing import Choice
from queries.ood.chosen_parts import chosen_parts
from queries.ood.metadata import metadata_columns
from queries.ood.selection import OodSelection, StructureSet
from queries.ood.sets import read_sets

SPEED_ATOMS = Quantity("speed", "atoms/s", is_better_larger=True)
SIZE_OF_ATOM = Quantity("size on disk", "bytes/latent of an atom")
N_FEATURES = 128
TEXT_SHARE = 10  # of the atoms, one in so many is read from text
MOST_MEGABYTES = 2000
ZARR = "zarr alone"


def measure(setting: Setting) -> list[Result]:
    """A million atoms; then what ranking 10,000 structures takes."""
    n_structures, n_atoms = setting.size(1_000, 4), setting.size(1_000, 50)
    n_text = max(n_structures // TEXT_SHARE, 1)
    with setting.scratch() as folder:
        make_lake(folder / "lake", n_structures, n_atoms, N_FEATURES)
        (folder / "text").mkdir()
        files = write_text(folder / "text", n_text, n_atoms, N_FEATURES)
        total, few = n_structures * n_atoms, n_text * n_atoms
        results = compare("ood", contenders(folder, total, few), setting)
        sizes = {
            "atomlake, Zarr": _size(folder / "lake" / "latents") / total,
            "extxyz with a column of latents": sum(f.stat().st_size for f in files) / few,
        }
    of_atom = {name: size / len(MEMBERS) for name, size in sizes.items()}
    return [*results, *_sizes(of_atom), *ranking(setting)]


def contenders(folder: Path, total: int, few: int) -> list[Contender]:
    """Each in a process of its own, so that its memory is its own."""
    most = {MEMORY_PROCESS: Goal(most=MOST_MEGABYTES)}
    beside_zarr = {SPEED_ATOMS: Goal(least_ratio=0.5)}
    lake_folder, text = str(folder / "lake"), str(folder / "text")
    found: dict[str, float] = {}
    return [
        Contender("atomlake query ood", _way("lake", lake_folder, total, found), most),
        Contender(ZARR, _way("bare", lake_folder, total, {}), beside_zarr),
        Contender("numpy, whole arrays", _way("numpy", lake_folder, total, found)),
        Contender("ASE, extxyz (a tenth)", _way("text", text, few, {})),
    ]


def _way(
    name: str, place: str, n_atoms: int, totals: dict[str, float]
) -> Callable[[Path], Figures]:
    """A way in a process; its total has to be that of the other ways in `totals`."""

    def go(_: Path) -> Figures:
        command = [sys.executable, "-m", "benchmarks.ood_ways", name, place]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found = json.loads(said.splitlines()[-1])
        totals[name] = found["total"]
        if not np.allclose(list(totals.values()), found["total"], rtol=1e-4):
            raise RuntimeError(f"{place}: the ways do not agree: {totals}")
        return {
            SPEED_ATOMS: n_atoms / found["seconds"],
            MEMORY_PROCESS: found["peak"] / MEGABYTE,
        }

    return go


def ranking(setting: Setting) -> list[Result]:
    """Rank and choose among structures whose scores are there, with metadata joined."""
    n = setting.size(10_000, 50)
    with setting.scratch() as folder:
        make_lake(folder / "lake", n, 1, 4)
        contender = Contender(
            f"rank {n:,} structures, with metadata",
            lambda _: {TIME: _ranking_seconds(folder / "lake")},
            {TIME: Goal(most=1)},
        )
        return compare("ood", [contender], setting)


def _ranking_seconds(place: Path) -> float:
    lk = lake.open(str(place))
    each = StructureSet("all", DATASET)
    selection = OodSelection("bench", (), "last", None, 4, (each,), "all")
    choice = Choice(above_quantile=0.5, at_most=2, per=("cleave", "termination", "strain"))
    with stopwatch() as watch:
        described, _ = read_sets(lk.reader, [each])
        metadata = metadata_columns(described["info"], described.columns)
        scores = described.with_columns(
            *metadata,
            is_baseline=pl.lit(True),
            latent_variance_trace=np.random.default_rng(0).lognormal(size=len(described)),
        )
        made = chosen_parts(scores, choice, selection, ["latent_variance_trace"])
    if not len(made["chosen"]):
        raise RuntimeError(f"{place}: nothing was chosen.")
    return watch.seconds


def _sizes(sizes: dict[str, float]) -> list[Result]:
    ours = next(iter(sizes.values()))
    results = [Result("ood", name, SIZE_OF_ATOM, (size,), ours) for name, size in sizes.items()]
    return [replace(results[0], ours=None), *results[1:]]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
