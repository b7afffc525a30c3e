"""``python -m compute.worker``: do the job on standard input, and tell of it on standard output."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from compute.engines.process_end import run_and_end
from compute.jobs.job import Job, JobModel
from compute.jobs.signals import heard_signals
from compute.worker.events import Events
from compute.worker.memory import bound_memory, require_room_to_start
from compute.worker.telling import Telling
from lake.errors import AtomlakeError, InvalidInputError, NotFoundError

SAME_SIGNAL_S = 3.0
_MEMORY_RAN_OUT = (
    "Memory ran out. What was committed stays. Expected room for a few batches of structures. Run "
    "the same command again with --max-edges lower, or with more memory."
)


def main(text: str) -> int:
    """Do the job; the exit code."""
    events = Events()
    stop = threading.Event()
    _stop_when_told(stop)
    try:
        require_room_to_start()
        job = Job.from_json(text)
        for model in job.models:
            _evaluate(job, model, events, stop)
    except (InvalidInputError, NotFoundError) as error:
        events.send("error", kind="input", message=str(error))
        return 2
    except AtomlakeError as error:
        events.send("error", kind="failure", message=str(error))
        return 1
    except MemoryError:
        events.send("error", kind="failure", message=_MEMORY_RAN_OUT)
        return 1
    events.send("end", is_stopped=stop.is_set())
    return 0


def _evaluate(job: Job, model: JobModel, events: Events, stop: threading.Event) -> None:
    import lake
    from compute.engines.loading import load_engine
    from compute.models.model_file import verify_file
    from compute.worker.budget import AdaptiveBudget
    from compute.worker.evaluation import Evaluation

    if stop.is_set():
        return
    lk = lake.open(job.lake, storage_options=job.storage_options)
    verify_file(model)
    events.send("loading", model=model.name)
    # A calculator takes its device as an option of its own.
    device = "auto" if model.engine == "ase" else job.device
    engine = load_engine(
        model.engine, model.path, device=device, dtype=job.dtype, options=model.options
    )
    verify_file(model)  # again: it may have been changed after the look at it and before the load
    key = f"{model.sha256[:16]} {engine.device_name} {job.dtype} {job.task} {job.latents}"
    limits = job.limits
    budget = AdaptiveBudget(engine, model.engine, key, limits.max_edges, limits.batch)
    for dataset in job.datasets:
        if stop.is_set():
            return
        evaluation = Evaluation(lk, job, model, dataset, engine, budget, stop)
        bound_memory(job.limits.max_memory)
        what = {"model": model.name, "dataset": dataset, "device": engine.device_name}
        telling = Telling(events, stop, total=len(evaluation), **what)
        telling.flush()
        evaluation.run(telling)
        telling.flush()


def _stop_when_told(stop: threading.Event) -> None:
    """End early, with a commit, at the first signal; at once at a later one.

    Slurm and Ctrl-C signal the command and its workers, and the command tells its workers too: what
    comes shortly after the first is the same signal.
    """
    told_s: float | None = None

    def handle(number: int, _: object) -> None:
        nonlocal told_s
        if told_s is None:
            told_s = time.monotonic()
            stop.set()
        elif time.monotonic() - told_s > SAME_SIGNAL_S:
            os._exit(128 + number)

    for number in heard_signals():
        signal.signal(number, handle)


if __name__ == "__main__":
    run_and_end(lambda: main(sys.stdin.buffer.read().decode("utf-8", "replace")))
