"""Structures picked at random: by id, and as a shuffled torch dataset, beside ASE's databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lake
from benchmarks import ase_databases
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.frames import small_frames
from benchmarks.ingest_speed import ingest_seconds
from benchmarks.result import SPEED_READS, Result
from benchmarks.setting import Setting


def measure(setting: Setting) -> list[Result]:
    """Structures per second."""
    file, n_frames = small_frames(setting)
    n_reads = setting.size(5_000, 20)
    with setting.scratch() as folder:
        ingest_seconds(folder / "lake", file, n_frames)
        ase_databases.convert(file, folder / "bench.db")
        ase_databases.convert(file, folder / "bench.aselmdb")
        chosen = np.random.default_rng(5).permutation(n_frames)[:n_reads]
        contenders = lake_contenders(folder / "lake", chosen) + [
            Contender(name, database_reads(folder / ending, chosen + 1))
            for name, ending in (
                (f"{ase_databases.SQLITE}, get_atoms one by one", "bench.db"),
                (f"{ase_databases.LMDB}, get_atoms one by one", "bench.aselmdb"),
            )
        ]
        return compare("random-reads", contenders, setting)


def lake_contenders(place: Path, chosen: NDArray[np.int64]) -> list[Contender]:
    """The ways the lake has, opened anew each time."""
    ids = np.array(
        lake.open(str(place)).sql("SELECT structure_id FROM structures").fetchall()
    ).ravel()[chosen]

    def at_once(_: Path) -> Figures:
        lk = lake.open(str(place))
        with stopwatch() as watch:
            read = lk.atoms(ids.tolist())
        return {SPEED_READS: len(read) / watch.seconds}

    def one_by_one(_: Path) -> Figures:
        lk = lake.open(str(place))
        with stopwatch() as watch:
            for identity in ids.tolist():
                lk.atoms(identity)
        return {SPEED_READS: len(ids) / watch.seconds}

    def epoch(_: Path) -> Figures:
        dataset = lake.open(str(place)).torch_dataset()
        with stopwatch() as watch:
            n_structures = sum(1 for _ in dataset)
        return {SPEED_READS: n_structures / watch.seconds}

    return [
        Contender("lk.atoms, all ids at once", at_once),
        Contender("lk.atoms, one by one", one_by_one),
        Contender("lk.torch_dataset, shuffled epoch of all", epoch),
    ]


def database_reads(database: Path, ids: NDArray[np.int64]) -> Callable[[Path], Figures]:
    """Reads from one of ASE's databases, opened anew."""

    def measure_once(_: Path) -> Figures:
        return {SPEED_READS: len(ids) / ase_databases.read_seconds(database, ids)}

    return measure_once
