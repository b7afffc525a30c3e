"""``python -m compute.worker job.json``: do a job, and tell of it on standard output."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from compute.jobs.job import Job, JobModel
from compute.worker.events import Events
from lake.errors import AtomlakeError, InvalidInputError, NotFoundError

TELL_EVERY_S = 0.5
SAME_SIGNAL_S = 3.0
# With less, libraries end the process, or wait for ever for a thread that cannot start.
LEAST_ROOM = 512 * 2**20  # bytes
_MEMORY_RAN_OUT = (
    "Memory ran out. What was committed stays. Expected room for a few batches of structures. Run "
    "the same command again with --max-edges lower, or with more memory."
)


class Telling:
    """Counts of one model on one dataset, told at most twice a second."""

    def __init__(self, events: Events, stop: threading.Event, **what: Any) -> None:
        self._events = events
        self._stop = stop
        self._what = what
        self._counts = {"ok": 0, "failed": 0, "skipped": 0, "atoms": 0}
        self._lock = threading.Lock()
        self._told_s = 0.0

    def __call__(self, kind: str, n_structures: int, n_atoms: int) -> None:
        """Count some structures."""
        with self._lock:
            self._counts[kind] += n_structures
            self._counts["atoms"] += n_atoms
            if time.monotonic() - self._told_s >= TELL_EVERY_S:
                self.flush()

    def flush(self) -> None:
        """Tell the counts now. When nobody listens any more, the job is to end."""
        self._told_s = time.monotonic()
        try:
            self._events.send("progress", **self._what, **self._counts)
        except BrokenPipeError:
            self._stop.set()


def main(path: str) -> int:
    """Do the job in a file; the exit code."""
    events = Events()
    stop = threading.Event()
    _stop_when_told(stop)
    try:
        job = Job.from_json(Path(path).read_text("utf-8"))
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
    key = f"{model.sha256[:16]} {engine.device_name} {job.dtype} {job.task} {job.latents}"
    limits = job.limits
    budget = AdaptiveBudget(engine, model.engine, key, limits.max_edges, limits.batch)
    for dataset in job.datasets:
        if stop.is_set():
            return
        evaluation = Evaluation(lk, job, model, dataset, engine, budget, stop)
        _bound_memory(job.limits.max_memory)
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

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def _bound_memory(max_memory: int | None) -> None:
    """Let allocations beyond the bound fail, where they can be answered by smaller batches.

    Only once the model is loaded and the lake was read: a library that finds no room while it
    starts says anything, or waits for ever for a thread it could not start.

    Raises
    ------
    InvalidInputError
        It leaves no room beside what the worker has already.
    """
    if max_memory is None:
        return
    if resource.getrlimit(resource.RLIMIT_DATA)[0] == max_memory:
        return  # since an earlier dataset or model
    used = _memory_counted()
    if used + LEAST_ROOM > max_memory:
        raise InvalidInputError(
            f"max_memory: {max_memory:,} bytes. With the model loaded, the worker has {used:,} "
            f"already, and needs {LEAST_ROOM:,} more to work with. Give --max-memory "
            f"{-(-(used + LEAST_ROOM) // 2**20)}M or more."
        )
    resource.setrlimit(resource.RLIMIT_DATA, (max_memory, max_memory))


def _memory_counted() -> int:
    """Bytes that count towards the bound, as the kernel says."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
