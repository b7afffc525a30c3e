"""What is asked of Slurm, the script, and what is refused, without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from click.testing import CliRunner, Result

import lake
from compute.slurm.array_job import ArrayJob
from compute.slurm.limits import check_gpus, check_memory, check_time, time_limit_s
from compute.slurm.options import directives, further_directives
from compute.slurm.script import script_text
from compute.slurm.submission import submit
from lake.cli import root
from lake.errors import InvalidInputError, JobFailedError, NotFoundError

TELLS = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
HOSTILE = ["a b", "it's", '"x"', "$HOME", "`id`", "\\", "é;|&#", "*", "--", ""]


def array_job(folder: Path, **fields: object) -> ArrayJob:
    values: dict[str, object] = {"command": (sys.executable, "-c", TELLS), "n_shards": 3}
    return ArrayJob(folder=folder, **(values | fields))  # type: ignore[arg-type]


def run_script(
    text: str, folder: Path, **environment: str
) -> tuple[int, list[str], Mapping[str, str], str]:
    """Run a script as a node would; exit code, arguments and environment of the command, output."""
    script = folder / "script.sh"
    script.write_text(text)
    slurm = {"PATH": os.environ["PATH"], "SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_ON_NODE": "4"}
    done = subprocess.run(
        ["bash", str(script)], env=slurm | environment, capture_output=True, text=True, check=False
    )
    last = done.stdout.splitlines()[-1:] or [""]
    told = json.loads(last[0]) if last[0].startswith("[") else [[], {}]
    return done.returncode, told[0], told[1], done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 60),
        ("90:30", 5430),
        ("0:05", 5),
        ("12:00:00", 43200),
        ("1-12", 129600),
        ("1-12:30", 131400),
        ("2-00:00:01", 172801),
        ("unlimited", None),
    ],
)
def test_a_time_limit_is_read_as_slurm_reads_it(text, seconds):
    assert time_limit_s(text) == seconds
    assert check_time(text) == text


@pytest.mark.parametrize("text", ["", "12h", "1:2:3:4", "-5", "1-", "0", "00:00", "1 2", "١٢"])
def test_what_is_no_time_limit_is_refused(text):
    with pytest.raises(InvalidInputError, match="--time"):
        check_time(text)


@pytest.mark.parametrize("text", ["", "50 G", "50GB", "1.5G", "-1", "G"])
def test_what_is_no_memory_is_refused(text):
    with pytest.raises(InvalidInputError, match="--mem"):
        check_memory(text)


@pytest.mark.parametrize("text", ["0", "a100", "a100:0", "gpu:a100:1", "1,2", ""])
def test_what_is_no_number_of_gpus_is_refused(text):
    with pytest.raises(InvalidInputError, match="--gpus"):
        check_gpus(text)


def test_options_go_by_the_names_sbatch_has():
    asked = {"time": "1-0", "mem": "50G", "cpus-per-task": "8", "gpus": "2", "exclude": "n[1-3]"}
    assert directives(asked) == [
        "--time=1-0",
        "--mem=50G",
        "--cpus-per-task=8",
        "--gres=gpu:2",
        "--exclude=n[1-3]",
    ]


def test_an_unknown_option_lists_the_near_ones():
    with pytest.raises(NotFoundError, match="partition"):
        directives({"partitions": "gpu"})


@pytest.mark.parametrize("value", ["", "  ", "gpu\n#SBATCH --uid=0", "a\tb", "a\rb"])
def test_a_value_stays_on_its_line(value):
    for ask in (
        lambda: directives({"partition": value}),
        lambda: further_directives([f"comment={value}"]),
    ):
        with pytest.raises(InvalidInputError, match="one line"):
            ask()


def test_further_options_are_handed_on():
    assert further_directives(["exclusive", "comment=a b=c"]) == [
        "--exclusive",
        "--comment=a b=c",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("array=1-9", "--shards"),
        ("output=x", "--folder"),
        ("gres=gpu:1", "--gpus"),
        ("mem=1G", "--mem"),
        ("wrap=ls", "Leave it out"),
        ("--nice=1", "no dashes"),
        ("=x", "KEY=VALUE"),
    ],
)
def test_further_options_do_not_undo_what_atomlake_sets(text, says):
    with pytest.raises(InvalidInputError, match=says):
        further_directives([text])


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"n_shards": 0}, "--shards 0"),
        ({"at_once": 0}, "--at-once 0"),
        ({"name": "a/b"}, "name of a job"),
        ({"setup": ["a\nb"]}, "--setup"),
        ({"folder": Path("/tmp/a%b")}, "%"),
        ({"folder": Path("/tmp/a\\b")}, "backslash"),
        ({"folder": Path("slurm")}, "--folder"),
        ({"grace_s": -1}, "--grace"),
        ({"options": {"time": "2"}}, "--grace"),
        ({"options": {"time": "1:00:00"}, "grace_s": 3600}, "Raise --time"),
    ],
)
def test_a_job_that_cannot_be_meant_is_refused(tmp_path, fields, says):
    with pytest.raises(InvalidInputError, match=says):
        script_text(array_job(**({"folder": tmp_path} | fields)))


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


PREDICT = ("predict", "--dataset", "cu", "--model", "e*", "--where", "n_atoms > 3")


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
    assert "Submitted job 7 with 1 shards, for 4 results that are missing." in some.output


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


def test_an_sbatch_that_says_nothing_is_a_message(tmp_path, monkeypatch):
    (tmp_path / "sbatch").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JobFailedError, match="ended with 3"):
        submit(array_job(tmp_path / "slurm"))
    assert list((tmp_path / "slurm").iterdir()) == []
