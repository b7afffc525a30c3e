"""Jobs of `compute regions` that are ended, killed or run beside each other."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ase import Atoms
from compute_samples import make_lake
from region_lakes import SITES, SITES_NAMES, compute, lake_of_defects, rows

from benchmarks.known_defects import with_defect
from compute.regions import running
from lake.lake import Lake

lk = lake_of_defects


def test_processes_give_the_same_rows(lk, tmp_path, monkeypatch):
    compute(lk, SITES)
    alone = [rows(lk, name) for name in SITES_NAMES]
    lk.drop(dataset="metals", scheme="sites")
    monkeypatch.setattr(running, "LEAST_PER_WORKER", 1)
    compute(lk, SITES, workers=2)
    assert [rows(lk, name) for name in SITES_NAMES] == alone


def many(n: int) -> list[Atoms]:
    return [with_defect("bcc", 3, "vacancy", 0.05, seed).atoms for seed in range(n)]


def start(place: str, *words: str) -> subprocess.Popen[str]:
    code = (
        "from compute.regions import running, tasks; running.LEAST_PER_WORKER = 1; "
        "tasks.TASK_ATOMS = 200; from lake.cli import main; main()"
    )
    words = ("compute", "regions", "--dataset", "metals", "--scheme", "sites", *words)
    return subprocess.Popen(
        [sys.executable, "-c", code, "--lake", place, *words, "--commit-every", "0.05"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_a_commit(lk: Lake, process: subprocess.Popen[str]) -> None:
    version = lk.version
    while lk.version == version and process.poll() is None:
        time.sleep(0.02)


def check_complete(lk: Lake, n: int) -> None:
    query = """
        SELECT scheme, count(*), count(DISTINCT structure_id)
        FROM regions GROUP BY scheme ORDER BY scheme
    """
    assert lk.sql(query).fetchall() == [("sites-2", n, n), ("sites-3", n, n)]
    assert lk.check() == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_job_that_is_told_to_end_commits_and_can_be_run_again(tmp_path, workers):
    lk = make_lake(tmp_path, many(300))
    process = start(lk.storage.uri, "--workers", workers)
    wait_for_a_commit(lk, process)
    process.send_signal(signal.SIGTERM)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert "left. The same command goes on from here." in printed
    there = len(rows(lk, "sites-2"))
    assert 0 < there < 300
    assert f"{there:,} structures labelled" in printed
    assert compute(lk, SITES).n_added == 300 - there
    check_complete(lk, 300)


def test_a_job_that_is_killed_can_be_run_again(tmp_path):
    lk = make_lake(tmp_path, many(200))
    for _ in range(2):
        process = start(lk.storage.uri, "--workers", "1")
        wait_for_a_commit(lk, process)
        process.kill()
        process.communicate()
    assert 0 < len(rows(lk, "sites-2")) < 200
    compute(lk, SITES)
    check_complete(lk, 200)


def test_jobs_may_overlap(tmp_path):
    lk = make_lake(tmp_path, many(60))
    jobs = [start(lk.storage.uri, "--workers", "1") for _ in range(2)]
    for job in jobs:
        _, errors = job.communicate(timeout=120)
        assert job.returncode == 0, errors
    check_complete(lk, 60)


def test_workers_end_with_a_job_that_is_killed(tmp_path):
    lk = make_lake(tmp_path, many(200))
    process = start(lk.storage.uri, "--workers", "2")
    wait_for_a_commit(lk, process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and in_session(process.pid):
        time.sleep(0.2)
    assert in_session(process.pid) == []
    compute(lk, SITES)
    check_complete(lk, 200)


def in_session(leader: int) -> list[int]:
    """Processes of a session that are still there."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(folder.name))
    return found
