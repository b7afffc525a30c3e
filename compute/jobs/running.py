"""Doing what was asked for: one worker at a time on each device."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from compute.environments.checking import require_usable
from compute.environments.environment import Environment
from compute.environments.registry import find_environment
from compute.jobs.checkpoints import Checkpoints
from compute.jobs.devices import find_devices
from compute.jobs.extent import find_extent
from compute.jobs.job import Job, JobModel
from compute.jobs.report import JobReport, Tally
from compute.jobs.request import Request
from compute.jobs.signals import heard_signals
from compute.jobs.worker_process import WorkerProcesses
from compute.models.model import Model
from compute.models.model_file import verify_file
from lake.errors import AtomlakeError, InvalidInputError, JobFailedError
from lake.lake import Lake

Progress = Callable[[Tally, float], None]


def no_progress(tally: Tally, seconds: float) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class _Work:
    """What is to be done in one environment."""

    environment: Environment
    models: tuple[JobModel, ...]


def run(lake: Lake, request: Request, progress: Progress = no_progress) -> JobReport:
    """Compute what is missing, in one worker process per environment and device.

    Parameters
    ----------
    progress
        Called with what was done so far, and the seconds since the beginning.

    Returns
    -------
    JobReport
        What was computed, and the version of the lake that holds it.

    Raises
    ------
    InvalidInputError, NotFoundError
        An option, a dataset, a model, its file or its environment is not what it should be.
    JobFailedError
        A worker died. What was committed stays.
    """
    request.check()
    devices = find_devices(request.device)
    started_s = time.monotonic()
    extent = find_extent(lake.reader, request)
    job_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    tally = Tally(extent.n_missing)
    processes = WorkerProcesses()
    if extent.models:
        works = _works(extent.models)
        with _stopped_by_signals(processes):
            jobs = request.job(lake.storage.uri, (), job_id, extent.chosen)
            jobs = replace(jobs, storage_options=dict(lake.storage.options))
            checkpoints = Checkpoints(lake.storage)
            try:
                _run_all(jobs, works, devices, processes, tally, progress, checkpoints)
            finally:
                checkpoints.write()
    # Workers that were not stopped have left nothing: what none of them counted was done elsewhere
    # before they began.
    n_left = tally.n_left if processes.is_stopped else 0
    return JobReport(
        job_id,
        request.task,
        list(tally.parts.values()),
        extent,
        n_left,
        time.monotonic() - started_s,
        lake.version,
        is_stopped=n_left > 0,
    )


def _works(models: Sequence[Model]) -> list[_Work]:
    """The models by environment, each checked before any worker starts."""
    groups: dict[str | None, list[Model]] = {}
    for model in models:
        groups.setdefault(model.environment, []).append(model)
    works = []
    for name, members in groups.items():
        environment = find_environment(name)
        for engine in sorted({model.engine for model in members}):
            require_usable(environment, engine)
        for model in members:
            verify_file(model, environment)
        works.append(_Work(environment, tuple(JobModel.of(model) for model in members)))
    return works


def _run_all(
    of_all: Job,
    works: Sequence[_Work],
    devices: Sequence[str],
    processes: WorkerProcesses,
    tally: Tally,
    progress: Progress,
    checkpoints: Checkpoints,
) -> None:
    """The environments one after the other on each device, the devices at once."""
    started_s = time.monotonic()
    lock = threading.Lock()

    def on_device(number: int) -> list[AtomlakeError]:
        errors: list[AtomlakeError] = []
        for i, work in enumerate(works):
            job = replace(
                of_all,
                models=work.models,
                device=devices[number],
                shard=of_all.shard.part(number + 1, len(devices)),
            )

            def listen(event: dict[str, Any], worker: int = number * len(works) + i) -> None:
                with lock:
                    tally.hear(worker, event)
                    progress(tally, time.monotonic() - started_s)
                checkpoints.look()

            try:
                processes.run(work.environment.python, job, listen)
            except (InvalidInputError, JobFailedError) as error:
                errors.append(error)  # another environment may be well
        return errors

    with ThreadPoolExecutor(len(devices)) as pool:
        try:
            errors = [error for each in pool.map(on_device, range(len(devices))) for error in each]
        except BaseException:
            processes.stop()  # the pool waits for its threads, and they for the workers
            raise
    if errors:
        message = "\n".join(dict.fromkeys(str(error) for error in errors))
        raise type(errors[0])(message)


@contextmanager
def _stopped_by_signals(processes: WorkerProcesses) -> Iterator[None]:
    """Let the workers commit when this process is told to end, as Slurm does before a limit."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before = {
        number: signal.signal(number, lambda *_: processes.stop()) for number in heard_signals()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
