"""A large MACE on 250-atom cells on a GPU: jobs beside the bare model, and memory that runs out.

Run it where there is a GPU, with an interpreter that has MACE and atomlake, from the checkout:
``python -m benchmarks.gpu``. Without a GPU it runs on the CPU, with ``--cells 4`` in a minute.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import click
from ase.io import write

import lake
from benchmarks.evaluation import all_members, bare_seconds, job_seconds
from benchmarks.made_networks import make_mace
from benchmarks.predicting import structures
from compute.engines.engine import Engine
from compute.engines.loading import load_engine
from compute.jobs.choices import Limits
from compute.jobs.job import Job, JobModel
from compute.models.model import identity
from compute.models.model_file import checksum
from compute.models.registration import add_model
from compute.worker.budget import AdaptiveBudget
from compute.worker.evaluation import Evaluation
from ingest.api import ingest

IRREPS = "128x0e+128x1o"
R_MAX_ANGSTROM = 5.0
ATOMS = 250
FAR_TOO_HIGH = 10**10
SAMPLE_EVERY_S = 0.1


@click.command()
@click.option("--cells", type=click.IntRange(min=1), default=2_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--device", default="auto", show_default=True)
def main(cells: int, rounds: int, device: str) -> None:
    """Structures and atoms per second, utilisation, and a budget forced far too high."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place, model = prepared(folder, cells)
        engine = load_engine("mace", model.path, device=device, dtype="float32", options={})
        members = all_members(place, "cells", engine)
        load = found_budget(place, model, engine)
        click.echo(f"device {engine.device_name}; budget {load:,} edges; {cells} cells")
        for _ in range(rounds):
            with utilisation() as of_bare:
                bare = bare_seconds(engine, members, load)
            with utilisation() as of_job:
                seconds = job_seconds(place, job(place, model), model, "cells", engine)
            click.echo(
                f"bare {shown(cells, bare, of_bare)}; job {shown(cells, seconds, of_job)}; "
                f"job/bare {bare / seconds:.2f}"
            )
        start = time.perf_counter()
        left = overfilled(place, model, engine)
        click.echo(
            f"budget forced to {FAR_TOO_HIGH:,}: all done in {time.perf_counter() - start:.1f} s, "
            f"budget then {left:,}"
        )


def prepared(folder: Path, cells: int) -> tuple[str, JobModel]:
    """A lake with the cells and the model."""
    file, network = folder / "cells.xyz", folder / "large.model"
    write(file, structures("cells", cells), format="extxyz")
    make_mace(network, ["Cu"], R_MAX_ANGSTROM, IRREPS)
    lk = lake.create(str(folder / "lake"))
    ingest(lk, "extxyz", [str(file)], dataset="cells")
    add_model(lk, "large", engine="mace", path=str(network))
    sha256 = checksum("mace", str(network))
    return lk.storage.uri, JobModel("large", identity(sha256, {}), "mace", str(network), sha256)


def job(place: str, model: JobModel, load: int | None = None) -> Job:
    """Predictions and latents of everything."""
    limits = Limits(max_edges=load)
    return Job("gpu", place, "predict", (model,), ("cells",), latents="last", limits=limits)


def found_budget(place: str, model: JobModel, engine: Engine) -> int:
    """The budget a job finds by itself."""
    return _evaluated(place, model, engine, None)


def overfilled(place: str, model: JobModel, engine: Engine) -> int:
    """Evaluate all with a budget that cannot fit; the budget at the end."""
    return _evaluated(place, model, engine, FAR_TOO_HIGH)


def _evaluated(place: str, model: JobModel, engine: Engine, load: int | None) -> int:
    lk = lake.open(place)
    budget = AdaptiveBudget(engine, "mace", f"benchmark {time.time_ns()}", load, None)
    evaluation = Evaluation(
        lk, job(place, model, load), model, "cells", engine, budget, threading.Event()
    )
    failed = 0

    def tell(kind: str, n_structures: int, *_: object, **__: object) -> None:
        nonlocal failed
        failed += n_structures if kind == "failed" else 0

    evaluation.run(tell)
    if failed:
        raise RuntimeError(f"{failed} structures failed.")
    lk.drop(dataset="cells", model="large")
    return budget.now().load


@contextmanager
def utilisation() -> Iterator[list[float]]:
    """Percentages nvidia-smi shows during a block; none where there is no nvidia-smi."""
    found: list[float] = []
    stop = threading.Event()
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]

    def sample() -> None:
        while not stop.wait(SAMPLE_EVERY_S):
            try:
                done = subprocess.run(query, capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                return
            found.append(float(done.stdout.splitlines()[0]))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def shown(cells: int, seconds: float, percentages: list[float]) -> str:
    """Speed, and how busy the GPU was."""
    busy = f", GPU {mean(percentages):.0f} %" if percentages else ""
    return f"{cells / seconds:,.1f} cells/s, {cells * ATOMS / seconds:,.0f} atoms/s{busy}"


if __name__ == "__main__":
    main()
