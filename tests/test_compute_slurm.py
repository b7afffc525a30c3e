"""The command that submits, without a cluster."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from click.testing import CliRunner, Result

import lake
from lake.cli import root

PREDICT = ("predict", "--dataset", "cu", "--model", "e*", "--where", "n_atoms > 3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lake of four frames and a model."""
    made = tmp_path_factory.mktemp("slurm")
    frames = [bulk("Cu", cubic=True) for _ in range(4)]
    for seed, frame in enumerate(frames):
        frame.rattle(0.05, seed=seed)
    write(made / "md.extxyz", frames)
    lk = lake.create(str(made / "lk"))
    lk.ingest("extxyz", [str(made / "md.extxyz")], dataset="cu")
    words = ["model", "add", "emt", "--engine", "ase", "--path", "ase.calculators.emt:EMT"]
    added = CliRunner().invoke(root, ["--lake", str(made / "lk"), *words])
    assert added.exit_code == 0, added.output
    return made


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, to stand in. Nothing is written there."""
    monkeypatch.chdir(made)
    monkeypatch.delenv("ATOMLAKE", raising=False)
    return made


def atomlake(*words: str) -> Result:
    return CliRunner().invoke(root, ["--lake", "lk", *words])


def submission(*words: str) -> Result:
    return atomlake("compute", "submit", "--slurm", "--shards", "4", "--dry-run", *words)


@pytest.mark.parametrize("dashes", [("--",), ()])
def test_a_dry_run_prints_the_script_and_writes_nothing(folder, dashes):
    ran = submission("--partition", "gpu x", "--time", "12:00:00", *dashes, *PREDICT)
    assert ran.exit_code == 0, ran.output
    assert "#SBATCH '--partition=gpu x'\n" in ran.output
    command = f"{sys.executable} -P -m lake.cli --lake {folder / 'lk'} compute predict --dataset cu"
    assert f"exec {command} --model 'e*' --where 'n_atoms > 3' --shard " in ran.output
    assert not (folder / "slurm").exists()


def test_a_dry_run_answers_in_json(folder):
    answer = json.loads(submission("--json", "--folder", "out", "--", *PREDICT).output)
    assert answer["logs"] == str(folder / "out" / "atomlake-predict-%A_%a.log")
    assert (answer["n_shards"], answer["n_missing"]) == (4, 4)
    assert answer["script_text"].startswith("#!/bin/bash\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Nothing to compute"),
        (("predct",), "Did you mean predict"),
        (("status",), "No compute command with shards is called 'status'"),
        (("predict", "--model", "emt"), "Missing option '--dataset'"),
        ((*PREDICT, "--lattents", "all"), "--latents"),
        ((*PREDICT, "--latents", "first"), "'first' is not one of"),
        ((*PREDICT, "--shard", "1/4"), "--shards N"),
        (("predict", "--dataset", "cuu", "--model", "emt"), "No dataset is called 'cuu'"),
        (("predict", "--dataset", "cu", "--model", "mace-*"), "mace-*"),
        (("predict", "--dataset", "cu", "--model", "emt", "--where", "n_atomz > 3"), "n_atomz"),
        (("predict", "--dataset", "cu", "--model", "emt", "--where", " "), "is empty"),
        ((*PREDICT, "--max-edges", "0"), "max_edges: 0"),
        ((*PREDICT, "--device", "tpu"), "Device 'tpu': expected auto, cpu, cuda"),
        ((*PREDICT, "--max-memory", "much"), "16G"),
        ((*PREDICT, "--latents", "last"), "has no latents"),
    ],
)
def test_a_command_that_cannot_run_is_not_submitted(folder, words, says):
    ran = submission("--", *words)
    assert ran.exit_code == 2, ran.output
    assert says in ran.output
    assert "Traceback" not in ran.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--mem", "50 G"), "--mem 50 G"),
        (("--partitoin", "gpu"), "--partition"),
        (("--folder", "lk/slurm"), "in the lake"),
        (("--setup", "a\nb"), "--setup"),
        (("--storage-option", "secret_access_key=x"), "AWS_SECRET_ACCESS_KEY"),
        (("--storage-option", "account_key=x"), "no secrets"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(folder, words, says):
    ran = submission(*words, "--", *PREDICT)
    assert ran.exit_code == 2, ran.output
    assert says in ran.output
    assert "Traceback" not in ran.output


def test_where_nothing_is_missing_nothing_is_submitted(folder, tmp_path, monkeypatch):
    (tmp_path / "sbatch").write_text("#!/bin/sh\necho 7\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ("compute", "submit", "--slurm", "--shards", "1", "--folder", str(tmp_path / "logs"))
    none = atomlake(*words, *PREDICT[:-1], "n_atoms > 99")
    assert (none.exit_code, "No structure is chosen" in none.output) == (0, True)
    failed = atomlake("--json", *words, "--", "retry", "--failed")
    assert json.loads(failed.output) == {"job_id": None, "n_missing": 0}
    assert not (tmp_path / "logs").exists()
    some = atomlake(*words, *PREDICT)
    assert "Submitted job 7 with 1 shard. Missing: 4 results." in some.output


def test_options_of_the_object_store_reach_the_shards(folder):
    ran = submission("--storage-option", "endpoint=http://127.0.0.1:9000", "--", *PREDICT)
    assert " --storage-option endpoint=http://127.0.0.1:9000 compute predict " in ran.output


def test_a_folder_that_cannot_be_made_is_a_message(folder, tmp_path, monkeypatch):
    (tmp_path / "sbatch").write_text("#!/bin/sh\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = atomlake(
        "compute", "submit", "--slurm", "--shards", "1", "--folder", "md.extxyz/x", *PREDICT
    )
    assert ran.exit_code == 1
    assert "md.extxyz" in ran.output
    assert "Traceback" not in ran.output
