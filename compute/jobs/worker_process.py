"""A worker: a process in the environment of a model, and what it tells."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import RLock, Thread
from typing import IO, Any

from compute.jobs.job import Job
from compute.jobs.signals import STOP_SIGNALS
from lake.errors import AtomlakeError, InvalidInputError, JobFailedError

Listener = Callable[[dict[str, Any]], None]

# glibc would give large tensors back after every batch and fault them in again at the next:
# 1.2 to 2 times the time of a batch on a CPU.
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
# Room that is only padded counts towards a bound on the memory as much as any other.
BOUNDED_ALLOCATOR = {"MALLOC_ARENA_MAX": "4"}
_LAST_LINES = 12
LEFTOVER_S = 5.0  # how long what a worker left running may hold its standard error open


class WorkerProcesses:
    """Starts workers and can tell all of those that run to end early."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = RLock()  # a signal may come while the handler of another is at `stop`
        self.is_stopped = False

    def run(self, python: str, job: Job, listen: Listener) -> None:
        """Do a job in an environment; returns when the worker has ended.

        Parameters
        ----------
        python
            The environment's interpreter.
        listen
            Called with every event the worker tells.

        Raises
        ------
        InvalidInputError, JobFailedError
            What the worker told, or that it died.
        """
        # -P: a folder called compute where the user stands must not be taken for ours.
        command = [python, "-P", "-m", "compute.worker"]
        with self._lock:
            if self.is_stopped:
                return
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=os.environ | _allocator(job),
            )
            self._running.add(process)
        try:
            error = _follow(process, job, listen)
        finally:
            with self._lock:
                self._running.discard(process)
        if error is not None and not self._was_told_to_end(process.returncode):
            raise error

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Tell every worker to commit what it has and to end."""
        with self._lock:
            self.is_stopped = True
            for process in self._running:
                process.send_signal(number)

    def _was_told_to_end(self, code: int) -> bool:
        """Whether a worker ended because it was told to before it could listen."""
        return self.is_stopped and -code in STOP_SIGNALS


def _allocator(job: Job) -> dict[str, str]:
    return ALLOCATOR if job.limits.max_memory is None else BOUNDED_ALLOCATOR


def _follow(process: subprocess.Popen[str], job: Job, listen: Listener) -> AtomlakeError | None:
    """Hand on what a worker tells until it ends; the error it ended with."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    said: deque[str] = deque(maxlen=_LAST_LINES)
    drain = Thread(target=_drain, args=(process.stderr, said), daemon=True)
    drain.start()
    try:
        _hand_over(job, process.stdin)
        with process.stdout as told:
            has_ended, error = _listen(told, said, listen)
    finally:  # with nobody to tell, it commits what it has and ends
        code = process.wait()
        drain.join(LEFTOVER_S)
    if error is None and (code or not has_ended):
        error = JobFailedError(_last_words(code, said, job.limits.max_memory))
    return error


def _drain(stderr: IO[str], said: deque[str]) -> None:
    """Keep what is said until all have let go of the stream, also what a model left running."""
    with stderr:
        said.extend(stderr)


def _hand_over(job: Job, stdin: IO[str]) -> None:
    """Give a worker its job, in no file: it may hold the keys of an object store."""
    with suppress(BrokenPipeError), stdin:  # why it did not read will be told
        stdin.write(job.as_json())


def _listen(
    told: Iterable[str], said: deque[str], listen: Listener
) -> tuple[bool, AtomlakeError | None]:
    """Whether a worker said that it ended, and the error it told."""
    has_ended = False
    error: AtomlakeError | None = None
    for line in told:
        event = _event(line)
        if event is None:
            said.append(line)
            continue
        has_ended |= event["event"] == "end"
        if event["event"] == "error":
            kind = InvalidInputError if event["kind"] == "input" else JobFailedError
            error = kind(event["message"])
        listen(event)
    return has_ended, error


def _event(line: str) -> dict[str, Any] | None:
    """What a worker told; None for what others print before it takes hold of its output."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _last_words(code: int, said: deque[str], max_memory: int | None) -> str:
    if code == -signal.SIGKILL:
        return (
            "The worker was killed, most likely because memory ran out. What was committed stays. "
            "Run the same command again with --max-edges lower, or with --max-memory."
        )
    words = "".join(said.copy()).strip() or "nothing"  # a copy: something may still be saying
    text = f"The worker ended with code {code}. What was committed stays. It said:\n{words}"
    if max_memory is not None:  # libraries say many things where they get none
        text += (
            f"\nIt was allowed {max_memory / 2**20:,.0f} MiB by --max-memory, of which an engine "
            "takes about 1 GiB before the first structure. If that was too little, raise it."
        )
    return text
