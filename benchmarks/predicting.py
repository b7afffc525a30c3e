"""Predictions with latents: a job's throughput beside the bare model, and its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write

import lake
from benchmarks.contenders import NotInstalledError
from benchmarks.disk import MEGABYTE
from benchmarks.process_memory import peak_memory
from benchmarks.result import MEMORY_PROCESS, SPEED_READS, Goal, Result
from benchmarks.setting import Setting
from compute.environments.registry import add_environment
from compute.jobs.job import JobModel
from compute.jobs.worker_process import ALLOCATOR
from compute.models.catalogue import find_model
from compute.models.registration import add_model
from ingest.api import ingest

MOLECULES = ("CH3CH2OH", "C6H6", "CH3COCH3", "CH3COOH", "C4H4O", "H2O")
R_MAX = {"molecules": 5.0, "cells": 4.5}
SYMBOLS = {"molecules": "C,H,O", "cells": "Cu"}
MAX_EDGES = {"mace": 8_000, "nequip": 8_000}
ONE_BY_ONE = 64


@dataclass(frozen=True)
class Case:
    """A model on a dataset."""

    engine: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.engine}, {self.dataset}"


def measure(setting: Setting) -> list[Result]:
    """Structures per second of jobs, and the memory of a long one beside a short one."""
    results: list[Result] = []
    for engine in ("mace", "nequip"):
        for dataset in ("molecules", "cells"):
            case = Case(engine, dataset)
            try:
                results += compared(case, setting)
            except NotInstalledError as error:
                results.append(Result("predict", str(case), None, note=str(error)))
    try:
        results += memory(setting)
    except NotInstalledError as error:
        results.append(Result("predict", "memory", None, note=str(error)))
    return results


def compared(case: Case, setting: Setting) -> list[Result]:
    """A job, a bare loop over ready-made batches and, for molecules, one structure at a time."""
    n = {
        "molecules": setting.size(3_000, 8),
        "cells": setting.size(40, 2),
    }[case.dataset]
    with setting.scratch() as folder:
        place = lake_of(case, n, folder)
        is_single = case == Case("mace", "molecules") and not setting.is_quick
        single = is_single * ONE_BY_ONE
        figures = evaluated(case, "job", place, setting, [MAX_EDGES[case.engine], single])
    return rows(case, figures, setting)


def evaluated(
    case: Case, what: str, place: str, setting: Setting, numbers: Sequence[int]
) -> dict[str, list[float]]:
    """What ``benchmarks.evaluation`` measures in the engine's environment.

    The model is looked up here: there is no more there than a worker needs.
    """
    model = JobModel.of(find_model(lake.open(place).reader, case.engine))
    words = [what, place, json.dumps(asdict(model)), case.dataset, setting.repeats, *numbers]
    done = subprocess.run(
        [str(python(case.engine)), "-m", "benchmarks.evaluation", *map(str, words)],
        env=os.environ | ALLOCATOR,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])["figures"]
    return figures


def rows(case: Case, figures: Mapping[str, list[float]], setting: Setting) -> list[Result]:
    """The figures as results, the job first."""
    ours = float(np.median(figures["job"]))
    names = {
        "job": (f"atomlake, {case}", None, None),
        "bare": (f"bare loop, {case}", ours, Goal(least_ratio=0.9)),
        "single": (f"ASE one by one, {case}", ours, Goal(least_ratio=3)),
    }
    return [
        Result(
            "predict",
            name,
            SPEED_READS,
            tuple(figures[kind]),
            beside,
            None if setting.is_quick else goal,
        )
        for kind, (name, beside, goal) in names.items()
        if kind in figures
    ]


def memory(setting: Setting) -> list[Result]:
    """Peak memory of the largest process of a command, for n structures and ten times as many."""
    case = Case("mace", "molecules")
    peaks = []
    for n in (setting.size(600, 4), setting.size(6_000, 40)):
        with setting.scratch() as folder:
            place = lake_of(case, n, folder)
            words = ["--dataset", case.dataset, "--model", case.engine, "--latents", "last"]
            limits = ["--max-edges", str(MAX_EDGES["mace"]), "--commit-every", "2"]
            start = [sys.executable, "-m", "lake.cli", "--lake", place, "compute", "predict"]
            peaks.append((n, peak_memory([*start, *words, *limits]).largest / MEGABYTE))
    short = peaks[0][1]
    return [
        Result("predict", f"atomlake, {case}, {n:,}", MEMORY_PROCESS, (peak,), short)
        for n, peak in peaks
    ]


def lake_of(case: Case, n: int, folder: Path) -> str:
    """A new lake with n structures and the model."""
    os.environ["ATOMLAKE_ENVIRONMENTS"] = str(folder / "environments.json")
    add_environment(case.engine, str(python(case.engine)))
    file = folder / "frames.xyz"
    write(file, structures(case.dataset, n), format="extxyz")
    lk = lake.create(str(folder / "lake"))
    ingest(lk, "extxyz", [str(file)], dataset=case.dataset)
    network = made_network(case, folder)
    add_model(lk, case.engine, engine=case.engine, path=str(network), environment=case.engine)
    return lk.storage.uri


def structures(dataset: str, n: int) -> list[Atoms]:
    """Shaken molecules, or shaken copper of 250 atoms: 256 sites and 6 vacancies."""
    random = np.random.default_rng(1)
    made = []
    for i in range(n):
        if dataset == "molecules":
            atoms = molecule(MOLECULES[i % len(MOLECULES)])
        else:
            atoms = bulk("Cu", cubic=True) * (4, 4, 4)
            del atoms[sorted(random.choice(len(atoms), 6, replace=False))]
        atoms.positions += random.normal(scale=0.05, size=atoms.positions.shape)
        made.append(atoms)
    return made


def made_network(case: Case, folder: Path) -> Path:
    """A network for the dataset."""
    file = folder / f"{case.engine}.{'model' if case.engine == 'mace' else 'ckpt'}"
    words = [case.engine, str(file), SYMBOLS[case.dataset], str(R_MAX[case.dataset])]
    command = [str(python(case.engine)), "-m", "benchmarks.made_networks", *words]
    subprocess.run(command, check=True, capture_output=True)
    return file


def python(engine: str) -> Path:
    """The interpreter of an engine's environment."""
    name = "nequip" if engine == "allegro" else engine
    found = Path(f".venv-{name}/bin/python").absolute()
    if not found.exists():
        raise NotInstalledError("not installed; make engines")
    return found
