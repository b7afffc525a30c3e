"""Run in the environment of an engine, where it stands beside the bare model in one process.

``python -m benchmarks.evaluation job LAKE MODEL DATASET ROUNDS MAX_EDGES N_ONE_BY_ONE`` measures a
job's own path, a bare loop over batches, and one structure at a time;
``python -m benchmarks.evaluation loads LAKE MODEL DATASET ROUNDS MAX_EDGES…`` bare loops of several
sizes. MODEL is that of a job, as JSON. Each prints a line of JSON: structures per second of each
round. Loading is in none. There is no more than a worker needs: neither SQL nor Polars.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import lake
from compute.engines.engine import Engine, Wanted
from compute.engines.loading import load_engine
from compute.jobs.choices import Limits
from compute.jobs.job import Job, JobModel
from compute.worker.batches import Budget, Member, cut
from compute.worker.budget import AdaptiveBudget
from compute.worker.evaluation import Evaluation
from compute.worker.structures import COLUMNS, prepare, read_groups
from lake.rows.row_reader import RowReader

WARM_UP_BATCHES = 3


def main(what: str, place: str, text: str, dataset: str, rounds: int, numbers: list[int]) -> None:
    """Measure, and print; `text` is the model as JSON."""
    model = JobModel(**json.loads(text))
    engine = load_engine(model.engine, model.path, device="auto", dtype=None, options={})
    measure = job_figures if what == "job" else load_figures
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        for kind, figure in measure(place, model, dataset, engine, numbers).items():
            figures.setdefault(kind, []).append(figure)
    print(json.dumps({"figures": figures, "device": engine.device_name}))


def job_figures(
    place: str, model: JobModel, dataset: str, engine: Engine, numbers: list[int]
) -> dict[str, float]:
    """Structures per second of a job, of a bare loop and one by one."""
    load, n_single = numbers
    limits = Limits(max_edges=load)
    job = Job("bench", place, "predict", (model,), (dataset,), latents="last", limits=limits)
    members = all_members(place, dataset, engine)
    figures = {
        "job": len(members) / job_seconds(place, job, model, dataset, engine),
        "bare": len(members) / bare_seconds(engine, members, load),
    }
    if n_single:
        figures["single"] = n_single / single_seconds(model, place, dataset, n_single)
    return figures


def load_figures(
    place: str, _: JobModel, dataset: str, engine: Engine, numbers: list[int]
) -> dict[str, float]:
    """Structures per second of bare loops, by the size of their batches in edges."""
    members = all_members(place, dataset, engine)
    return {str(load): len(members) / bare_seconds(engine, members, load) for load in numbers}


def all_members(place: str, dataset: str, engine: Engine) -> list[Member]:
    """Every structure of the dataset with its neighbours."""
    rows = RowReader(lake.open(place).reader, "structures", columns=COLUMNS, dataset=dataset)
    groups = read_groups(rows, np.arange(len(rows)))
    prepared = [each for group in groups for each in prepare(group, engine.facts)]
    return [each for each in prepared if isinstance(each, Member)]


def bare_seconds(engine: Engine, members: list[Member], load: int) -> float:
    """Forward passes over batches that are ready, and nothing else."""
    wanted = Wanted(forces=True, layers=(len(engine.facts.layers) - 1,))
    batches = [
        engine.collate([member.graph for member in batch])
        for batch in cut(members, lambda: Budget(load))
    ]
    for batch in batches[:WARM_UP_BATCHES]:
        engine.evaluate(batch, wanted)
    start = time.perf_counter()
    for batch in batches:
        engine.evaluate(batch, wanted)
    return time.perf_counter() - start


def job_seconds(place: str, job: Job, model: JobModel, dataset: str, engine: Engine) -> float:
    """What a worker does: read, find neighbours, evaluate, write, commit."""
    with tempfile.TemporaryDirectory(dir=Path(place).parent) as folder:
        copy = Path(folder) / "lake"
        shutil.copytree(place, copy)
        lk = lake.open(str(copy))
        budget = AdaptiveBudget(engine, model.engine, "bench", job.limits.max_edges, None)
        start = time.perf_counter()
        evaluation = Evaluation(lk, job, model, dataset, engine, budget, threading.Event())
        evaluation.run(tell_nobody)
        seconds = time.perf_counter() - start
        reader = lk.reader
        rows = reader.columns("predictions", reader.files("predictions"), ("status",))
        done = rows["status"].to_pylist().count("ok")
        if done != len(evaluation):
            raise RuntimeError(f"{done} of {len(evaluation)} structures were computed.")
        return seconds


def tell_nobody(kind: str, n_structures: int, n_atoms: int = 0, reason: str = "") -> None:
    """Show no progress."""


def single_seconds(model: JobModel, place: str, dataset: str, n: int) -> float:
    """The engine's own ASE calculator, one structure at a time."""
    lk = lake.open(place)
    rows = RowReader(lk.reader, "structures", columns=["structure_id"], dataset=dataset)
    ids = rows.take(np.arange(n))["structure_id"].to_pylist()
    atoms = lk.atoms(ids, dataset=dataset)
    calculator = own_calculator(model)
    for each in atoms:
        each.calc = calculator
    atoms[0].get_forces()
    start = time.perf_counter()
    for each in atoms:
        each.get_potential_energy()
        each.get_forces()
        if each.pbc.any():
            each.get_stress()
    return time.perf_counter() - start


def own_calculator(model: JobModel) -> Any:
    """The calculator that comes with the engine."""
    if model.engine == "mace":
        from mace.calculators import MACECalculator

        return MACECalculator(model_paths=model.path, device="cpu", default_dtype="float32")
    raise NotImplementedError(f"{model.engine}: only MACE is compared one by one.")


if __name__ == "__main__":
    what, place, text, dataset, *rest = sys.argv[1:]
    rounds, *numbers = (int(number) for number in rest)
    main(what, place, text, dataset, rounds, numbers)
