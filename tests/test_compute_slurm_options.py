"""What may be asked of Slurm, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_samples import array_job

from compute.slurm.limits import check_gpus, check_memory, check_time, time_limit_s
from compute.slurm.options import directives, further_directives
from compute.slurm.script import script_text
from lake.errors import InvalidInputError, NotFoundError


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
