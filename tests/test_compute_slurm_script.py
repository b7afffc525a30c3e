"""The script of an array job, and handing it over, without a cluster."""

from __future__ import annotations

import sys

import pytest
from slurm_samples import HOSTILE, TELLS, array_job, run_script

from compute.slurm.script import script_text
from compute.slurm.submission import submit
from lake.errors import JobFailedError


def test_the_script_says_what_was_asked_for(tmp_path):
    job = array_job(tmp_path / "a b", at_once=2, options={"gpus": "1"}, is_requeued=False)
    assert [line for line in script_text(job).splitlines() if line.startswith("#SBATCH")] == [
        "#SBATCH --job-name=atomlake",
        "#SBATCH --array=1-3%2",
        f"#SBATCH '--output={tmp_path}/a b/atomlake-%A_%a.log'",
        "#SBATCH --open-mode=append",
        "#SBATCH --signal=B:TERM@120",
        "#SBATCH --no-requeue",
        "#SBATCH --gres=gpu:1",
    ]


def test_the_command_gets_its_words_as_they_are_and_its_shard(tmp_path):
    job = array_job(tmp_path, command=(sys.executable, "-c", TELLS, *HOSTILE))
    code, words, _, output = run_script(script_text(job), tmp_path)
    assert code == 0, output
    assert words == [*HOSTILE, "--shard", "2/3"]


@pytest.mark.parametrize(
    ("options", "given", "n_threads"),
    [({}, {}, "4"), ({"cpus-per-task": "3"}, {"SLURM_CPUS_PER_TASK": "3"}, "3")],
)
def test_there_are_as_many_threads_as_cpus(tmp_path, options, given, n_threads):
    text = script_text(array_job(tmp_path, options=options))
    _, _, environment, _ = run_script(text, tmp_path, **given)
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == n_threads
    assert "PYTORCH_CUDA_ALLOC_CONF" not in environment


def test_memory_of_gpus_grows_in_segments(tmp_path):
    text = script_text(array_job(tmp_path, options={"gpus": "1"}))
    _, _, environment, _ = run_script(text, tmp_path)
    assert environment["PYTORCH_CUDA_ALLOC_CONF"] == "expandable_segments:True"


def test_the_set_up_runs_first_and_may_use_unset_variables(tmp_path):
    setup = ['export SITE="x$UNSET"', "export OMP_NUM_THREADS=1"]
    _, words, environment, _ = run_script(script_text(array_job(tmp_path, setup=setup)), tmp_path)
    assert (environment["SITE"], environment["OMP_NUM_THREADS"]) == ("x", "1")
    assert words == ["--shard", "2/3"]


def test_a_set_up_that_fails_ends_the_job(tmp_path):
    text = script_text(array_job(tmp_path, setup=["source /nowhere/activate"]))
    code, words, _, output = run_script(text, tmp_path)
    assert (code, words) == (1, [])
    assert "/nowhere/activate" in output


def test_without_sbatch_there_is_a_message_and_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JobFailedError, match="--dry-run"):
        submit(array_job(tmp_path / "slurm"))
    assert not (tmp_path / "slurm").exists()


def test_an_sbatch_that_says_nothing_is_a_message(tmp_path, monkeypatch):
    (tmp_path / "sbatch").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JobFailedError, match="ended with 3"):
        submit(array_job(tmp_path / "slurm"))
    assert list((tmp_path / "slurm").iterdir()) == []
