"""Jobs from end to end: a worker process, the lake, and what can go wrong between them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.calculators.emt import EMT
from compute_samples import add_emt, add_misbehaving, make_lake, structures

import lake
from compute import Limits, Request, Shard, coverage, run
from compute.jobs.progress import progress_shown
from compute.jobs.report import Tally
from lake.errors import InvalidInputError, JobFailedError, NotFoundError
from lake.lake import Lake

N = 40


@pytest.fixture(autouse=True)
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATOMLAKE_ENVIRONMENTS", str(tmp_path / "environments.json"))


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    lk = make_lake(tmp_path, structures(N))
    add_emt(lk)
    return lk


def request(model: str = "emt", **more: Any) -> Request:
    return Request("predict", ["metals"], [model], **more)


def rows(lk: Lake, model: str = "emt") -> list[dict[str, Any]]:
    return lk.scan("predictions", model=model).sort("structure_id").collect().to_dicts()


def command(lk: Lake, *words: str) -> list[str]:
    return [
        *(sys.executable, "-m", "lake.cli", "--lake", lk.storage.uri, "compute", "predict"),
        *("--dataset", "metals", *words),
    ]


def test_numbers_are_those_of_the_calculator(lk: Lake) -> None:
    report = run(lk, request())
    assert (report.total("ok"), report.total("failed"), report.n_left) == (N, 0, 0)
    assert report.version == lk.version
    found = rows(lk)
    assert len(found) == N
    for row in found:
        atoms = lk.atoms(row["structure_id"])
        atoms.calc = EMT()
        assert row["energy"] == pytest.approx(atoms.get_potential_energy(), rel=1e-12)
        forces = np.stack([row["forces"][axis] for axis in "xyz"], axis=1)
        np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-12)
        if atoms.pbc.any():
            np.testing.assert_allclose(list(row["stress"].values()), atoms.get_stress(), atol=1e-12)
        else:
            assert row["stress"] is None
    assert lk.check() == []


def test_nothing_is_computed_twice(lk: Lake) -> None:
    run(lk, request())
    version = lk.version
    again = run(lk, request())
    assert again.n_missing == 0
    assert again.text() == "Nothing is missing."
    assert lk.version == version


def test_a_condition_chooses_and_the_rest_comes_later(lk: Lake) -> None:
    first = run(lk, request(where="n_atoms = 1"))
    assert first.total("ok") == N // 4
    assert run(lk, request()).total("ok") == N - N // 4
    assert len(rows(lk)) == N


def test_a_condition_that_fits_nothing_is_said(lk: Lake) -> None:
    assert "No structure is chosen" in run(lk, request(where="n_atoms = 99")).text()


def test_shards_make_a_whole(lk: Lake) -> None:
    done = [run(lk, request(shard=Shard(k, 3))).total("ok") for k in (1, 2, 3)]
    assert sum(done) == N
    assert all(done)
    assert len({row["structure_id"] for row in rows(lk)}) == N


def test_two_models_of_a_pattern_in_one_go(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.0)
    report = run(lk, request("*"))
    assert report.total("ok") == 2 * N
    for first, second in zip(rows(lk), rows(lk, "slow"), strict=True):
        assert first["energy"] == second["energy"]
    status = coverage(lk.reader)
    assert status.select("model", "done", "failed", "missing").rows() == [
        ("emt", N, 0, 0),
        ("slow", N, 0, 0),
    ]


def test_a_failing_calculator_leaves_reasons_and_goes_on(lk: Lake) -> None:
    add_misbehaving(lk, "touchy")
    report = run(lk, request("touchy"))
    assert (report.total("ok"), report.total("failed")) == (N - N // 4, N // 4)
    failed = [row for row in rows(lk, "touchy") if row["status"] == "failed"]
    assert len(failed) == N // 4
    for row in failed:
        assert "no convergence in 100 steps" in row["error"]
        assert row["n_atoms"] == 3
        assert row["energy"] is None
    nothing = run(lk, request("touchy"))
    assert nothing.n_missing == 0
    assert f"but {N // 4} results that failed earlier" in nothing.text()
    again = run(lk, request("touchy", only_failed=True))
    assert again.n_missing == again.total("failed") == N // 4
    assert len(rows(lk, "touchy")) == N
    assert lk.check() == []


def test_a_reason_that_is_no_text_is_written_as_far_as_it_goes(lk: Lake) -> None:
    add_misbehaving(lk, "garbled")
    report = run(lk, request("garbled", where="n_atoms = 3"))
    assert report.total("failed") == N // 4
    assert "read \\udcff from its output" in rows(lk, "garbled")[0]["error"]


def test_a_signal_after_the_last_structure_is_no_early_end(lk: Lake) -> None:
    def tell(tally: Tally, seconds: float) -> None:
        if not tally.n_left:
            os.kill(os.getpid(), signal.SIGTERM)

    report = run(lk, request(), tell)
    assert report.total("ok") == N
    assert not report.is_stopped


def test_progress_without_standard_error_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)  # so it is after 2>&-
    with progress_shown(is_wanted=True) as progress:
        progress(Tally(1), 1.0)


def test_what_is_no_number_is_a_reason(lk: Lake) -> None:
    add_misbehaving(lk, "wrong")
    run(lk, request("wrong"))
    for row in rows(lk, "wrong"):
        if row["n_atoms"] == 1:
            assert row["status"] == "failed"
            assert row["error"] == "the model gave NaN or infinity in forces"
            assert row["forces"] is None
        else:
            assert row["status"] == "ok"


def test_a_calculator_that_has_only_energies(lk: Lake) -> None:
    add_misbehaving(lk, "energetic")
    run(lk, request("energetic"))
    for row in rows(lk, "energetic"):
        assert row["status"] == "ok"
        assert row["energy"] == row["n_atoms"]
        assert row["forces"] is None
        assert row["stress"] is None
    assert lk.check() == []


def test_a_calculator_without_stress_for_some(lk: Lake) -> None:
    add_misbehaving(lk, "choosy")
    run(lk, request("choosy"))
    periodic = {
        atoms_id
        for atoms_id, pbc in lk.sql("SELECT structure_id, pbc[1] FROM structures").fetchall()
        if pbc
    }
    for row in rows(lk, "choosy"):
        assert row["status"] == "ok"
        assert (row["stress"] is None) == (
            row["structure_id"] not in periodic or row["n_atoms"] == 8
        )


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
    assert 0 < n_done < N
    assert f"Stopped with {N - n_done} left" in printed
    assert run(lk, request("slow", where="n_atoms = 1")).n_left == 0
    assert lk.check() == []


def test_jobs_at_once_add_every_row_once(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.05)
    words = command(lk, "--model", "slow", "--commit-every", "0.3", "--batch", "2", "--json")
    jobs = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    reports = [json.loads(job.communicate(timeout=120)[0]) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0]
    assert len(rows(lk, "slow")) == N
    # Each answered for all it had missed, and the slower ones left alone what others had done.
    assert [r["ok"] + r["skipped"] for r in reports] == [r["n_missing"] for r in reports]
    assert sum(r["ok"] for r in reports) < sum(r["n_missing"] for r in reports)
    assert lk.check() == []


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
        if len(found) == N:  # begin again, so that every kill meets a job at work
            lk.drop(dataset="metals", model="slow")
    assert counts != sorted(counts) or counts[-1] > 0
    run(lk, request("slow"))
    assert len(rows(lk, "slow")) == N
    assert lk.check() == []


def test_a_worker_whose_starter_was_killed_ends(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.5)
    process = subprocess.Popen(command(lk, "--model", "slow", "--batch", "1"))
    (worker,) = _wait_for(lambda: _workers(process.pid))
    time.sleep(5.0)
    process.kill()
    process.wait()
    _wait_for(lambda: not Path(f"/proc/{worker}").exists())
    assert 0 < len(rows(lk, "slow")) < N  # what it had is committed


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


def test_a_file_that_changed_is_not_loaded(tmp_path: Path, lk: Lake) -> None:
    from compute.models.registration import add_model

    file = tmp_path / "mine.py"
    file.write_text("from ase.calculators.emt import EMT\ndef make():\n    return EMT()\n")
    add_model(lk, "mine", engine="ase", path=f"{file}:make")
    file.write_text("raise SystemExit('loaded')\n")
    with pytest.raises(InvalidInputError, match="was registered with"):
        run(lk, request("mine"))
    assert rows(lk, "mine") == []


def test_names_that_do_not_exist(lk: Lake) -> None:
    with pytest.raises(NotFoundError, match="metals"):
        run(lk, Request("predict", ["metal"], ["emt"]))
    with pytest.raises(NotFoundError, match="emt"):
        run(lk, request("emd"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"where": "n_atomz > 3"}, "n_atomz"),
        ({"where": ""}, "--where '' is empty"),
        ({"where": " \n"}, "is empty"),
        ({"latents": "last"}, "has no latents"),
        ({"latents": "first"}, "Expected one of none, last, all"),
        ({"device": "tpu"}, "expected auto, cpu, cuda"),
        ({"device": "cuda"}, "no NVIDIA GPU"),
        ({"limits": Limits(max_edges=0)}, "max_edges"),
        ({"limits": Limits(commit_every_s=float("nan"))}, "commit_every_s"),
        ({"dtype": "float16"}, "float32, float64"),
        ({"limits": Limits(max_memory=2**20)}, "max_memory: 1,048,576 bytes"),
        ({"limits": Limits(max_memory=2**70)}, "max_memory.*petabyte"),
    ],
)
def test_options_that_cannot_be_meant(lk: Lake, more: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidInputError, JobFailedError), match=message):
        run(lk, request(**more))
    assert rows(lk) == []


@pytest.mark.parametrize(
    "text", ["", "1", "0/3", "4/3", "a/b", "1/0", "-1/3", "1/3/5", "¹/3", "1/1000001"]
)
def test_shards_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInputError, match="expected K"):
        Shard.parse(text)


def test_the_command_line(lk: Lake) -> None:
    def atomlake(*words: str) -> subprocess.CompletedProcess[str]:
        start = [sys.executable, "-m", "lake.cli", "--lake", lk.storage.uri, "--json", "compute"]
        return subprocess.run([*start, *words], capture_output=True, text=True, check=False)

    done = atomlake("predict", "--dataset", "metals", "--model", "e*", "--where", "n_atoms > 1")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["ok"] == N - N // 4
    status = json.loads(atomlake("status").stdout)
    assert [(row["done"], row["missing"]) for row in status] == [(N - N // 4, N // 4)]
    again = atomlake("retry", "--failed")
    assert (again.returncode, json.loads(again.stdout)["n_missing"]) == (0, 0)
    wrong = atomlake("predict", "--dataset", "metals", "--model", "emt", "--max-memory", "much")
    assert wrong.returncode == 2
    assert "16G" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_read_only_lake_says_so(lk: Lake, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    Path(lk.storage.uri).chmod(0o500)
    with pytest.raises(JobFailedError):
        run(lake.open(lk.storage.uri), request())
