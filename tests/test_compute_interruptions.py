"""Jobs that are stopped, killed, or run beside each other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compute_samples import N_METALS, add_misbehaving, command, lake_of_metals, request, rows

from compute import run
from compute.jobs.extent import Extent
from compute.jobs.report import JobReport, Part, Tally
from lake.lake import Lake

lk = lake_of_metals
pytestmark = pytest.mark.usefixtures("registry")


def test_a_signal_after_the_last_structure_is_no_early_end(lk: Lake) -> None:
    def tell(tally: Tally, seconds: float) -> None:
        if not tally.n_left:
            os.kill(os.getpid(), signal.SIGTERM)

    report = run(lk, request(), tell)
    assert report.total("ok") == N_METALS
    assert not report.is_stopped


def test_a_stopped_job_commits_and_goes_on(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.5)
    words = command(lk, "--model", "slow", "--batch", "1")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _wait_for(lambda: _workers(process.pid))
    time.sleep(5.0)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    n_done = len(rows(lk, "slow"))
    assert 0 < n_done < N_METALS
    assert f"Stopped with {N_METALS - n_done} left" in printed
    assert run(lk, request("slow", where="n_atoms = 1")).n_left == 0
    assert lk.check() == []


def test_jobs_at_once_add_every_row_once(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.05)
    words = command(lk, "--model", "slow", "--commit-every", "0.3", "--batch", "2", "--json")
    jobs = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    reports = [json.loads(job.communicate(timeout=120)[0]) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0]
    assert len(rows(lk, "slow")) == N_METALS
    # The slower ones left alone what others had done, and nobody thinks that there is any left.
    assert N_METALS <= sum(r["ok"] for r in reports) < sum(r["n_missing"] for r in reports)
    assert [(r["failed"], r["n_left"]) for r in reports] == [(0, 0)] * 3
    assert lk.check() == []


def test_what_others_did_before_a_worker_began_is_nobodys_rest() -> None:
    parts = [Part("slow", "metals", total=16, ok=14, failed=2)]
    report = JobReport("job", "predict", parts, Extent(40, 40), 0, 1.0, 3, is_stopped=False)
    assert report.as_dict()["skipped"] == 24
    assert "Another job computed 24 of them meanwhile." in report.text()


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.1)
    random = np.random.default_rng(0)
    words = command(lk, "--model", "slow", "--commit-every", "0.2", "--batch", "2")
    counts = []
    for _ in range(30):
        process = subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL)
        time.sleep(random.uniform(0.5, 3.0))
        os.killpg(process.pid, signal.SIGKILL)  # the command and its worker
        process.wait()
        found = [row["structure_id"] for row in rows(lk, "slow")]
        assert len(found) == len(set(found))
        counts.append(len(found))
        if len(found) == N_METALS:  # begin again, so that every kill meets a job at work
            lk.drop(dataset="metals", model="slow")
    assert any(counts)  # some of those that were killed had committed before
    run(lk, request("slow"))
    assert len(rows(lk, "slow")) == N_METALS
    assert lk.check() == []


def test_a_worker_whose_starter_was_killed_ends(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.5)
    process = subprocess.Popen(command(lk, "--model", "slow", "--batch", "1"))
    (worker,) = _wait_for(lambda: _workers(process.pid))
    time.sleep(5.0)
    process.kill()
    process.wait()
    _wait_for(lambda: not Path(f"/proc/{worker}").exists())
    assert 0 < len(rows(lk, "slow")) < N_METALS  # what it had is committed


def _workers(pid: int) -> list[int]:
    """Workers a process started, in whichever thread."""
    listed = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    children = [int(child) for child in " ".join(listed).split()]
    return [c for c in children if b"compute.worker" in Path(f"/proc/{c}/cmdline").read_bytes()]


def _wait_for(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
