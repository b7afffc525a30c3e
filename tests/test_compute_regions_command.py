"""What `compute regions` prints: reports, progress and errors."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner
from region_lakes import compute, lake_of_defects, rows

from compute.regions.progress import progress_shown, progress_text
from compute.regions.report import RegionReport
from lake.cli import root
from lake.lake import Lake

lk = lake_of_defects


def test_a_condition_that_fits_nothing_says_so(lk):
    assert "No structure is chosen" in compute(lk, where="n_atoms > 1000").text()


def run_cli(lk: Lake, *words: str):
    return CliRunner().invoke(root, ["--lake", lk.storage.uri, *words])


def test_the_command_says_what_it_did(lk):
    done = run_cli(lk, "compute", "regions", "--dataset", "metals", "--scheme", "sites")
    assert done.exit_code == 0, done.output
    assert "6 structures labelled by sites-2 and sites-3 in" in done.output
    assert "defects: vacancy 2, interstitial 1, none 1, no regions 2" in done.output
    assert "  2 × no lattice: it is not periodic along all three directions" in done.output
    words = ("compute", "regions", "--dataset", "metals", "--scheme", "legacy", "--workers", "1")
    found = json.loads(run_cli(lk, "--json", *words).output)
    assert (found["n_added"], found["schemes"]) == (6, ["legacy-2", "legacy-3"])
    assert found["kinds"] == {"vacancy": 4, "interstitial": 1, "no regions": 1}
    dropped = run_cli(lk, "drop", "regions", "metals", "legacy")
    assert dropped.exit_code == 0
    assert rows(lk, "legacy-2") == []
    assert len(rows(lk, "sites-2")) == 6
    commit = lk.sql("SELECT arguments FROM commits WHERE operation = 'compute regions'").fetchall()
    assert json.loads(commit[0][0])["model_cutoff"] == 5.0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--dataset", "metal", "--scheme", "legacy"), "Did you mean metals"),
        (("--dataset", "metals", "--scheme", "site"), "Did you mean sites"),
        (("--dataset", "metals", "--scheme", "sites", "--lattice", "xyz"), "--lattice xyz"),
        (
            ("--dataset", "metals", "--scheme", "sites", "--lattice", "bcc", "--reference", "x"),
            "are both given",
        ),
        (("--dataset", "metals", "--scheme", "legacy", "--model-cutoff", "0"), "--model-cutoff 0"),
    ],
)
def test_wrong_input_is_told_without_a_traceback(lk, words, what):
    done = run_cli(lk, "compute", "regions", *words)
    assert done.exit_code == 2
    assert what in done.output
    assert "Traceback" not in done.output


def test_progress_says_how_far_it_is(capsys, monkeypatch):
    assert progress_text(500, 2_000, 2.0) == "500 of 2,000 structures, 250 structures/s, 6 s left"
    assert progress_text(0, 10, 0.0) == "0 of 10 structures, 0 structures/s"
    with progress_shown(is_wanted=True) as shown:
        shown(1, 2, 1.0)
    assert capsys.readouterr().err == "", "no line in the first half minute"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_shown(is_wanted=True) as shown:
        shown(1, 2, 1.0)
    assert "1 of 2 structures" in capsys.readouterr().err
    with progress_shown(is_wanted=False) as shown:
        shown(1, 2, 1.0)
    assert capsys.readouterr().err == ""


def test_a_report_shows_the_most_frequent_reasons():
    report = RegionReport(
        ("sites-2", "sites-3"),
        n_chosen=11,
        n_missing=11,
        n_added=11,
        kinds={"no regions": 10, "none": 1},
        reasons={"a": 4, "b": 3, "c": 2, "d": 1},
        n_dropped=0,
        n_too_large=0,
        n_atoms=100,
        seconds=2.0,
        version=3,
        is_stopped=False,
    )
    assert report.text().splitlines() == [
        "11 structures labelled by sites-2 and sites-3 in 2.0 s (6 structures/s); version 3",
        "defects: none 1, no regions 10",
        "  4 × a",
        "  3 × b",
        "  2 × c",
        "  1 for other reasons; see the column 'reason' of 'regions'",
    ]
