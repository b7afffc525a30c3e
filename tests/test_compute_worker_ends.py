"""How workers end: what models leave behind, bounds from outside, signals, and a swapped file."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from compute_samples import (
    CALCULATORS,
    add_emt,
    add_misbehaving,
    make_lake,
    request,
    structures,
)

from compute import run
from compute.environments.registry import add_environment
from compute.jobs.job import Job
from compute.jobs.report import Tally
from compute.models.changes import edit_model
from compute.models.registration import add_model
from lake.errors import InvalidInputError
from lake.lake import Lake

N = 8

pytestmark = pytest.mark.usefixtures("registry")


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return make_lake(tmp_path, structures(N))


def test_a_calculator_that_wants_to_end_the_process_leaves_failed_rows(lk: Lake) -> None:
    add_misbehaving(lk, "quitting")
    report = run(lk, request("quitting"))
    assert (report.total("ok"), report.total("failed")) == (6, 2)
    reasons = lk.sql("SELECT DISTINCT error FROM predictions WHERE status = 'failed'").fetchall()
    assert reasons == [("the calculator failed: SystemExit: no licence for three atoms",)]


@pytest.mark.slow
def test_what_a_calculator_leaves_running_keeps_nobody_waiting(lk: Lake) -> None:
    started_s = time.monotonic()
    add_misbehaving(lk, "lingering")
    assert run(lk, request("lingering")).total("ok") == N
    assert time.monotonic() - started_s < 40


@pytest.mark.parametrize("end", ["return 3", "raise RuntimeError('broken')", "raise SystemExit"])
def test_a_process_ends_whatever_threads_it_has(end: str) -> None:
    text = f"""
import threading, time
from compute.engines import process_end
process_end.LONGEST_S = 0.5
threading.Thread(target=time.sleep, args=(60,)).start()
def main():
    {end}
process_end.run_and_end(main)
"""
    started_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=50, check=False
    )
    assert time.monotonic() - started_s < 20
    assert done.returncode == (3 if end == "return 3" else 1)
    assert ("broken" in done.stderr) == ("broken" in end)


def test_a_file_that_is_swapped_before_it_is_loaded_is_not_used(lk: Lake, tmp_path: Path) -> None:
    calculator, mark = tmp_path / "mine.py", tmp_path / "mark"
    shutil.copy(CALCULATORS, calculator)
    add_model(
        lk, "swapped", engine="ase", path=f"{calculator}:swapped", options={"file": str(mark)}
    )
    mark.touch()
    with pytest.raises(InvalidInputError, match="was registered with"):
        run(lk, request("swapped"))
    assert lk.reader.files("predictions") == []


@pytest.mark.parametrize(("kind", "mib", "name"), [("d", 300, "RLIMIT_DATA"), ("v", 900, "AS")])
def test_a_bound_from_outside_that_is_too_low_is_said(
    lk: Lake, tmp_path: Path, kind: str, mib: int, name: str
) -> None:
    add_emt(lk)
    edit_model(lk, "emt", {"environment": _environment(tmp_path, f"ulimit -{kind} {mib * 1024}")})
    with pytest.raises(
        InvalidInputError, match=rf"bounded to {mib} MiB by .*{name}.*ulimit -{kind}"
    ):
        run(lk, request())


def test_a_bound_from_outside_that_is_high_enough_does_no_harm(lk: Lake, tmp_path: Path) -> None:
    add_emt(lk)
    edit_model(lk, "emt", {"environment": _environment(tmp_path, "ulimit -d 3145728")})
    assert run(lk, request()).total("ok") == N


def _environment(folder: Path, line: str) -> str:
    """The name of an environment: this interpreter, after a line of the shell in its workers."""
    file = folder / "python"
    file.write_text(
        f'#!/bin/sh\ncase "$*" in *compute.worker) {line};; esac\nexec {sys.executable} "$@"\n'
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return add_environment("bounded", str(file)).environment.name


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_each_signal_to_end_is_heard(lk: Lake, number: signal.Signals) -> None:
    add_misbehaving(lk, "slow", seconds=1.0)

    def tell(tally: Tally, seconds: float) -> None:
        if tally.count("ok"):
            os.kill(os.getpid(), number)

    report = run(lk, request("slow"), tell)
    assert report.is_stopped
    assert 0 < report.total("ok") < N
    assert len(lk.scan("predictions").collect()) == report.total("ok")


def test_a_closed_terminal_does_not_end_what_was_started_to_ignore_it(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.3)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        report = run(lk, request("slow"), lambda *_: os.kill(os.getpid(), signal.SIGHUP))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert report.total("ok") == N


def test_a_job_shows_no_keys() -> None:
    job = Job("job", "s3://x", "predict", (), ("cu",), storage_options={"aws_secret": "hidden"})
    assert "hidden" not in repr(job)
    assert "hidden" in job.as_json()


def test_a_job_that_is_none_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "compute.worker"],
        input="{",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Expected what 'atomlake compute' hands to its workers" in done.stdout
    assert done.stderr == ""
