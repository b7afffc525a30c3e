"""Arrays on a real Slurm: they run, are told to end, fail visibly, and may be submitted again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from slurm_cluster import Cluster, SlurmMissingError, job_environment, running_cluster

import lake
from compute.slurm.array_job import ArrayJob
from compute.slurm.submission import Submission, submit

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

# Stands where atomlake does. It works in a child, as atomlake does in a worker, ends early when it
# is told to, and writes down who heard a signal.
STAND_IN = """\
import pathlib, signal, subprocess, sys, time

folder, kind, shard = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[4].replace("/", "of")
print("working on", shard, flush=True)
if kind == "fail" and shard.startswith("2of"):
    sys.exit(3)
if kind != "wait":
    sys.exit(0)
child = "import pathlib, signal, sys, time\\n" \\
    "signal.signal(signal.SIGTERM, lambda *_: pathlib.Path(sys.argv[1]).touch())\\n" \\
    "while True: time.sleep(0.1)"
worker = subprocess.Popen([sys.executable, "-c", child, str(folder / f"{shard}.worker-told")])

def end(*_):
    time.sleep(1)  # the worker would have heard by now
    (folder / f"{shard}.committed").touch()
    worker.kill()
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
(folder / f"{shard}.ready").touch()
while True:
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    try:
        with running_cluster() as cluster:
            yield cluster
    except SlurmMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def folder(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, as a user of the cluster."""
    for name in [name for name in os.environ if name.startswith(("SBATCH_", "SLURM_"))]:
        monkeypatch.delenv(name)
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    return tmp_path


def array_job(here: Path, kind: str, /, **fields: object) -> ArrayJob:
    command = (sys.executable, "-P", str(here / "stand_in.py"), str(here), kind)
    values: dict[str, object] = {"command": command, "n_shards": 3, "folder": here}
    return ArrayJob(**(values | fields))  # type: ignore[arg-type]


def log(done: Submission, shard: int) -> str:
    name = done.logs.replace("%A", str(done.job_id)).replace("%a", str(shard))
    return Path(name).read_text()


def wait_for_file(file: Path, timeout_s: float = 60) -> None:
    end_s = time.monotonic() + timeout_s
    while not file.exists():
        assert time.monotonic() < end_s, f"{file.name} is not there"
        time.sleep(0.1)


def test_every_shard_runs_and_logs_where_it_was_said(folder, cluster):
    logs = folder / "a b" / 'it\'s "#1" $HOME é'
    done = submit(array_job(folder, "work", folder=logs, name="three"))
    for shard in (1, 2, 3):
        facts = cluster.wait_for(f"{done.job_id}_{shard}")
        assert (facts["JobState"], facts["ExitCode"]) == ("COMPLETED", "0:0")
        assert f"Shard {shard}/3 on " in log(done, shard)
        assert log(done, shard).endswith(f"working on {shard}of3\n")
    assert sorted(path.name for path in logs.iterdir()) == sorted(
        [done.script.name, *(f"three-{done.job_id}_{shard}.log" for shard in (1, 2, 3))]
    )


def test_two_submissions_have_two_scripts_and_two_jobs(folder, cluster):
    first, second = (submit(array_job(folder, "work")) for _ in range(2))
    assert first.script != second.script
    assert first.job_id != second.job_id
    for done in (first, second):
        assert cluster.wait_for(f"{done.job_id}_3")["JobState"] == "COMPLETED"


def test_slurm_gets_what_was_asked_for_whatever_the_environment_says(folder, cluster, monkeypatch):
    monkeypatch.setenv("SBATCH_TIMELIMIT", "7")
    monkeypatch.setenv("SBATCH_ARRAY_INX", "5-9")
    asked = {"time": "1-12", "mem": "200M", "cpus-per-task": "2", "nodelist": "", "partition": ""}
    asked["nodelist"], asked["partition"] = (
        cluster.run("sinfo", "--noheader", "--format=%N %R").strip().split()
    )
    further = ['comment=it\'s a "#1"', "nice=5", "begin=now+1hour"]
    done = submit(array_job(folder, "work", at_once=2, options=asked, further=further, name="ask"))
    facts = cluster.facts(str(done.job_id))
    said = {
        "ArrayTaskId": "1-3%2",
        "JobName": "ask",
        "TimeLimit": "1-12:00:00",
        "MinMemoryNode": "200M",
        "CPUs/Task": "2",
        "Requeue": "1",
        "ReqNodeList": asked["nodelist"],
        "Partition": "main",
        "Nice": "5",
    }
    assert {name: facts[name] for name in said} == said
    assert 'Comment=it\'s a "#1"' in cluster.run("scontrol", "show", "job", str(done.job_id))
    cluster.run("scancel", str(done.job_id))
    # The script alone asks for the same.
    monkeypatch.delenv("SBATCH_TIMELIMIT")
    monkeypatch.delenv("SBATCH_ARRAY_INX")
    again = cluster.run("sbatch", "--parsable", str(done.script)).strip()
    facts = cluster.facts(again)
    assert {name: facts[name] for name in said} == said
    cluster.run("scancel", again)


def test_a_shard_that_fails_shows_and_the_others_go_on(folder, cluster):
    done = submit(array_job(folder, "fail"))
    states = {}
    for shard in (1, 2, 3):
        facts = cluster.wait_for(f"{done.job_id}_{shard}")
        states[shard] = facts["JobState"], facts["ExitCode"]
    assert states == {1: ("COMPLETED", "0:0"), 2: ("FAILED", "3:0"), 3: ("COMPLETED", "0:0")}


def test_a_set_up_that_fails_shows(folder, cluster):
    done = submit(array_job(folder, "work", n_shards=1, setup=["cd /nowhere"]))
    assert cluster.wait_for(f"{done.job_id}_1")["JobState"] == "FAILED"
    assert "/nowhere" in log(done, 1)
    assert "working" not in log(done, 1)


def test_before_the_time_limit_the_command_alone_is_told_to_end(folder, cluster):
    # Slurm counts in minutes, and may tell a minute too early.
    job = array_job(folder, "wait", n_shards=1, options={"time": "1"}, grace_s=50)
    done = submit(job)
    facts = cluster.wait_for(f"{done.job_id}_1", timeout_s=120)
    assert (facts["JobState"], facts["ExitCode"]) == ("COMPLETED", "0:0"), log(done, 1)
    assert (folder / "1of1.committed").exists()
    assert not (folder / "1of1.worker-told").exists()


def test_a_cancelled_shard_is_told_to_end(folder, cluster):
    done = submit(array_job(folder, "wait", n_shards=1))
    wait_for_file(folder / "1of1.ready")
    cluster.run("scancel", f"{done.job_id}_1")
    wait_for_file(folder / "1of1.committed")
    assert cluster.wait_for(f"{done.job_id}_1")["JobState"] == "CANCELLED"


def test_a_shard_that_is_started_anew_goes_on_in_its_log(folder, cluster):
    done = submit(array_job(folder, "wait", n_shards=1))
    shard = f"{done.job_id}_1"
    wait_for_file(folder / "1of1.ready")
    (folder / "1of1.ready").unlink()
    cluster.run("scontrol", "requeue", shard)
    cluster.wait_for(shard, "PENDING")
    cluster.run("scontrol", "update", f"jobid={shard}", "starttime=now")
    wait_for_file(folder / "1of1.ready", timeout_s=150)
    assert log(done, 1).count("Shard 1/1 on ") == 2
    assert log(done, 1).count("working on 1of1") == 2
    cluster.run("scancel", shard)


def atomlake(cluster: Cluster, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lake.cli", "--lake", "lk", *words],
        env=job_environment(cluster),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def make_lake(n_frames: int, size: int, cluster: Cluster) -> lake.Lake:
    """A lake of rattled copper in the folder one stands in, and EMT as its model."""
    frames = []
    for seed in range(n_frames):
        frames.append(bulk("Cu", cubic=True) * size)
        frames[-1].rattle(0.05, seed=seed)
    write("md.extxyz", frames)
    lk = lake.create("lk")
    lk.ingest("extxyz", ["md.extxyz"], dataset="cu")
    atomlake(cluster, "model", "add", "emt", "--engine", "ase", "--path", "ase.calculators.emt:EMT")
    return lk


def submit_predict(cluster: Cluster, n_shards: int, *words: str, is_held: bool = False) -> int:
    said = atomlake(
        cluster,
        *("--json", "compute", "submit", "--slurm", "--shards", str(n_shards)),
        *("--time", "10", "--mem", "400M", *(["--sbatch", "hold"] if is_held else [])),
        *("--", "predict", "--dataset", "cu", "--model", "e*", *words),
    )
    answer = json.loads(said)
    assert Path(answer["script"]).exists()
    return int(answer["job_id"])


def counts(lk: lake.Lake) -> tuple[int, int, int]:
    """Predictions that are there, structures they are of, and those that failed."""
    asked = lk.at(lk.version).sql(
        "SELECT count(*), count(DISTINCT structure_id), count(*) FILTER (status != 'ok') "
        "FROM predictions"
    )
    rows = asked.fetchall()
    return rows[0]


def test_refusals_of_slurm_are_told_in_its_words(folder, cluster):
    make_lake(3, 1, cluster)
    said = atomlake(
        cluster,
        *("compute", "submit", "--slurm", "--shards", "2", "--mem", "50G"),
        *("predict", "--dataset", "cu", "--model", "emt"),
        code=1,
    )
    assert "Memory specification can not be satisfied" in said
    assert list((folder / "slurm").iterdir()) == []
    assert cluster.run("squeue", "--noheader", "--name=atomlake-predict").strip() == ""


def test_arrays_that_overlap_compute_every_structure_once(folder, cluster):
    lk = make_lake(60, 2, cluster)
    # Held until all are submitted: where nothing is missing any more, nothing is.
    jobs = [submit_predict(cluster, n, is_held=True) for n in (3, 3, 2)]
    for job in jobs:
        cluster.run("scontrol", "release", str(job))
    for job, n_shards in zip(jobs, (3, 3, 2), strict=True):
        for shard in range(1, n_shards + 1):
            facts = cluster.wait_for(f"{job}_{shard}", timeout_s=200)
            assert facts["JobState"] == "COMPLETED", Path(facts["StdOut"]).read_text()
    assert counts(lk) == (60, 60, 0)
    assert "No problems" in atomlake(cluster, "check")
    version = lk.version
    words = ("predict", "--dataset", "cu", "--model", "emt")
    said = atomlake(cluster, "compute", "submit", "--slurm", "--shards", "1", "--", *words)
    assert said == "Nothing was submitted. Nothing is missing.\n"
    assert cluster.run("squeue", "--noheader").strip() == ""
    assert lk.version == version


@pytest.mark.parametrize(
    "signal",
    [
        pytest.param(("--batch", "--signal=TERM"), id="as before the time limit"),
        pytest.param((), id="to all processes"),
    ],
)
def test_an_array_that_was_cancelled_goes_on_when_submitted_again(folder, cluster, signal):
    lk = make_lake(2000, 3, cluster)
    job = submit_predict(cluster, 1, "--commit-every", "2")
    end_s = time.monotonic() + 90
    while counts(lk)[0] == 0 and time.monotonic() < end_s:
        time.sleep(0.2)
    cluster.run("scancel", *signal, f"{job}_1")
    cluster.wait_for(f"{job}_1")
    n_done, n_distinct, _ = counts(lk)
    log_file = folder / "slurm" / f"atomlake-predict-{job}_1.log"
    assert f"Stopped with {2000 - n_done:,} left." in log_file.read_text()
    assert 0 < n_done == n_distinct < 2000
    again = submit_predict(cluster, 2)
    for shard in (1, 2):
        facts = cluster.wait_for(f"{again}_{shard}", timeout_s=200)
        assert facts["JobState"] == "COMPLETED", Path(facts["StdOut"]).read_text()
    assert counts(lk) == (2000, 2000, 0)
    assert "No problems" in atomlake(cluster, "check")
