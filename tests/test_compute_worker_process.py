"""Workers as processes: what they print, how they end, and how they are told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compute.jobs.choices import Limits
from compute.jobs.job import Job
from compute.jobs.worker_process import WorkerProcesses
from lake.errors import JobFailedError

JOB = Job("job", "uri", "predict", (), ("cu",))
Make = Callable[[str], str]


@pytest.fixture
def interpreter(tmp_path: Path) -> Make:
    """Makes what stands in for a Python: a script of the shell."""

    def make(text: str) -> str:
        file = tmp_path / "python"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o700)
        return str(file)

    return make


def test_what_others_print_is_no_event(interpreter: Make) -> None:
    heard: list[dict[str, Any]] = []
    text = "echo 'Activating module'; echo 3; echo '{\"event\": \"end\"}'"
    WorkerProcesses().run(interpreter(text), JOB, heard.append)
    assert heard == [{"event": "end"}]


def test_a_worker_gets_its_job_in_no_file(interpreter: Make, tmp_path: Path) -> None:
    job = replace(JOB, storage_options={"aws_secret_access_key": "hidden"})
    text = f'cat > {tmp_path}/read; echo \'{{"event": "end"}}\''
    WorkerProcesses().run(interpreter(text), job, print)
    assert Job.from_json((tmp_path / "read").read_text()) == job


def test_a_worker_that_ends_without_a_word_is_an_error(interpreter: Make) -> None:
    with pytest.raises(JobFailedError, match=r"code 0\."):
        WorkerProcesses().run(interpreter("cat > /dev/null"), JOB, print)


def test_a_worker_that_never_reads_its_job_is_told_by_its_last_words(interpreter: Make) -> None:
    job = replace(JOB, where="x" * 10**6)  # more than a pipe holds
    with pytest.raises(JobFailedError, match=r"(?s)code 3.*no such library"):
        WorkerProcesses().run(interpreter("echo 'no such library' >&2; exit 3"), job, print)


def test_what_a_worker_left_running_keeps_nobody_waiting(interpreter: Make) -> None:
    started_s = time.monotonic()
    text = 'sleep 30 >/dev/null & echo \'{"event": "end"}\''
    WorkerProcesses().run(interpreter(text), JOB, print)
    assert time.monotonic() - started_s < 15


def test_the_last_words_of_a_worker_are_told(interpreter: Make) -> None:
    text = "echo 'no such library' >&2; exit 3"
    with pytest.raises(JobFailedError, match=r"(?s)code 3.*no such library"):
        WorkerProcesses().run(interpreter(text), JOB, print)


def test_a_bound_on_the_memory_is_named_where_a_worker_dies(interpreter: Make) -> None:
    job = replace(JOB, limits=Limits(max_memory=300 * 2**20))
    with pytest.raises(JobFailedError, match=r"(?s)segment.*allowed 300 MiB by --max-memory"):
        WorkerProcesses().run(interpreter("echo 'no segment' >&2; exit 1"), job, print)


def test_nobody_leaves_before_the_worker_has_ended(interpreter: Make, tmp_path: Path) -> None:
    text = f'echo \'{{"event": "progress"}}\'; sleep 1; touch {tmp_path}/committed'

    def listen(event: dict[str, Any]) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        WorkerProcesses().run(interpreter(text), JOB, listen)
    assert (tmp_path / "committed").exists()


def test_a_worker_told_to_end_before_it_can_listen_is_no_error(interpreter: Make) -> None:
    processes = WorkerProcesses()
    timer = threading.Timer(0.5, processes.stop)
    timer.start()
    started_s = time.monotonic()
    processes.run(interpreter("exec sleep 30"), JOB, print)
    assert time.monotonic() - started_s < 20
    assert processes.is_stopped


def test_a_worker_that_dies_of_a_signal_nobody_sent_is_an_error(interpreter: Make) -> None:
    with pytest.raises(JobFailedError, match="code -15"):
        WorkerProcesses().run(interpreter("kill -TERM $$"), JOB, print)


def test_a_signal_while_another_is_handled_does_not_wait_for_it() -> None:
    processes = WorkerProcesses()

    def stop_within_stop() -> None:
        with processes._lock:
            processes.stop()

    thread = threading.Thread(target=stop_within_stop, daemon=True)
    thread.start()
    thread.join(timeout=5)
    assert not thread.is_alive()
