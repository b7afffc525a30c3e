"""What is asked for and cannot be had, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from compute_samples import (
    N_METALS,
    add_emt,
    lake_of_metals,
    make_lake,
    request,
    rows,
    structures,
)
from small_disks import make_read_only, small_disk

import lake
from compute import Limits, Request, Shard, run
from compute.jobs.progress import progress_shown
from compute.jobs.report import Tally
from lake.errors import InvalidInputError, JobFailedError, NotFoundError
from lake.lake import Lake

lk = lake_of_metals
pytestmark = pytest.mark.usefixtures("registry")


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
    assert report["ok"] == N_METALS - N_METALS // 4
    status = json.loads(atomlake("status").stdout)
    assert [(row["done"], row["missing"]) for row in status] == [
        (N_METALS - N_METALS // 4, N_METALS // 4)
    ]
    again = atomlake("retry", "--failed")
    assert (again.returncode, json.loads(again.stdout)["n_missing"]) == (0, 0)
    wrong = atomlake("predict", "--dataset", "metals", "--model", "emt", "--max-memory", "much")
    assert wrong.returncode == 2
    assert "16G" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_read_only_lake_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk:
        lk = make_lake(disk, structures(4))
        add_emt(lk)
        make_read_only(disk)
        with pytest.raises(JobFailedError, match="Read-only file system"):
            run(lake.open(lk.storage.uri), request())


def test_progress_without_standard_error_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)  # so it is after 2>&-
    with progress_shown(is_wanted=True) as progress:
        progress(Tally(1), 1.0)
