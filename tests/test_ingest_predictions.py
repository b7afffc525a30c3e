"""Predictions made elsewhere: whose they are, what is refused, and that the accounts close."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from prediction_samples import (
    FRAMES,
    Write,
    assert_right,
    counts,
    lake_of_frames,
    make_frames,
    reasons,
    register,
    structures,
    text_of,
    write_here,
)

import lake
from ingest.api import ingest
from ingest.predictions.api import ingest_predictions
from lake.cli import root
from lake.errors import InvalidInputError, NotFoundError
from lake.lake import Lake

lk, write = lake_of_frames, write_here
NO_ELEMENT = "1\nProperties=species:S:1:pos:R:3\nXx 0.0 0.0 0.0\n"


def test_compressed_files_and_standard_formats(lk: Lake, write: Write) -> None:
    path = write("p.xyz.gz", gzip.compress(text_of(FRAMES).encode()))
    assert counts(ingest_predictions(lk, [path], model="m1", workers=2)) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


def test_every_dataset_that_holds_the_geometry_gets_the_row(lk: Lake, write: Write) -> None:
    ingest(lk, "extxyz", [write("half.xyz", structures(FRAMES[:3]))], dataset="half")
    ingest_predictions(lk, [write("one.xyz", FRAMES[1].text())], model="m1", datasets=["half"])
    report = ingest_predictions(lk, [write("p.xyz", text_of(FRAMES) + NO_ELEMENT)], model="m1")
    assert counts(report) == (7, 6, 0, 1)
    assert dict(report.added) == {"cu": 6, "half": 2}
    assert_right(lk, FRAMES)
    assert_right(lk, FRAMES[:3], "half")
    accounts = lk.sql(
        "SELECT dataset, frames_read, rows, duplicates, rejects FROM sources "
        "WHERE format = 'predictions extxyz' ORDER BY dataset, frames_read"
    ).fetchall()
    assert accounts == [("cu", 7, 6, 0, 1), ("half", 1, 1, 0, 0), ("half", 3, 2, 1, 0)]


def test_what_fits_no_dataset_stands_under_unmatched(lk: Lake, write: Write) -> None:
    ingest(lk, "extxyz", [write("half.xyz", structures(FRAMES[:3]))], dataset="half")
    more = make_frames(3, seed=5)
    paths = [write("p.xyz", text_of(FRAMES)), write("q.xyz", text_of(more) + NO_ELEMENT)]
    report = ingest_predictions(lk, paths, model="m1")
    assert counts(report) == (10, 6, 0, 4)
    assert report.text().endswith(
        "Rejected frames stand in the table 'rejects', dataset unmatched."
    )
    found = lk.sql("SELECT dataset, uri, count(*) FROM rejects GROUP BY ALL").fetchall()
    assert found == [("unmatched", paths[1], 4)]
    accounts = lk.sql(
        "SELECT dataset, frames_read, rejects FROM sources "
        "WHERE format = 'predictions extxyz' ORDER BY dataset"
    ).fetchall()
    assert accounts == [("cu", 6, 0), ("half", 3, 0), ("unmatched", 4, 4)]
    assert "unmatched: 0 structures, 0 atoms\n  read from 1 file" in lk.info().text()
    assert lk.check() == []
    again = ingest_predictions(lk, paths, model="m1")
    assert [(s.is_unchanged, s.earlier_rejects) for s in again.sources] == [(True, 0), (True, 4)]
    lk.drop(dataset="unmatched")
    assert counts(ingest_predictions(lk, [paths[1]], model="m1")) == (4, 0, 0, 4)


def test_what_does_not_fit_the_only_dataset_stands_there(lk: Lake, write: Write) -> None:
    ingest(lk, "extxyz", [write("half.xyz", structures(FRAMES[:3]))], dataset="half")
    path = write("q.xyz", text_of(make_frames(1, seed=5)))
    report = ingest_predictions(lk, [path], model="m1", datasets=["half"])
    assert report.rejects_in == ["half"]
    assert lk.sql("SELECT dataset FROM rejects").fetchall() == [("half",)]


def test_strict_commits_nothing(lk: Lake, write: Write) -> None:
    path = write("p.xyz", text_of([*FRAMES, *make_frames(1, seed=9)]))
    report = ingest_predictions(lk, [path], model="m1", strict=True)
    assert (report.version, lk.version, counts(report)) == (None, 2, (7, 6, 0, 1))
    assert "--strict" in report.text()
    assert not list(Path(lk.storage.uri).glob("predictions/**/*.parquet"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "m2"}, "Did you mean m1"),
        ({"model": "m1", "datasets": ["cuu"]}, "Did you mean cu?"),
        ({"model": "m1", "key_map": {"forces": "MACE_force"}}, "Did you mean MACE_forces"),
        ({"model": "m1", "key_map": {"config_type": "x"}}, "predictions have none"),
        ({"model": "m1", "key_map": {"spin": "x"}}, "No label is called 'spin'"),
        ({"model": "m1", "units": ["energy=GPa"]}, "no unit of energy"),
        ({"model": "m1", "file_format": "csv"}, "No format of predictions"),
    ],
)
def test_wrong_options(lk: Lake, write: Write, options: dict[str, object], words: str) -> None:
    path = write("p.xyz", text_of(FRAMES))
    with pytest.raises((InvalidInputError, NotFoundError)) as caught:
        ingest_predictions(lk, [path], **options)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert lk.version == 2


def test_a_lake_without_structures(tmp_path: Path, write: Write) -> None:
    lk = lake.create(str(tmp_path / "empty"))
    register(lk)
    with pytest.raises(InvalidInputError, match="holds no structures"):
        ingest_predictions(lk, [write("p.xyz", text_of(FRAMES))], model="m1")


def test_an_empty_file_is_a_reject(lk: Lake, write: Write) -> None:
    report = ingest_predictions(
        lk, [write("e.xyz", ""), write("p.xyz", text_of(FRAMES))], model="m1"
    )
    assert counts(report) == (7, 6, 0, 1)
    assert "is empty" in reasons(report)[0]
    assert lk.check() == []


def test_the_command_line(lk: Lake, write: Write) -> None:
    path = write("p.xyz", text_of(FRAMES, energy="e", forces="f"))
    words = ["ingest", "predictions", path, "--model", "m1", "--dataset", "cu"]
    words += ["--map", "energy=e", "--map", "forces=f", "--lake", lk.storage.uri]
    result = CliRunner().invoke(root, words, env={"ATOMLAKE": None})
    assert result.exit_code == 0
    assert result.output == (
        "6 frames read: 6 new, 0 duplicates, 0 rejected. Predictions of m1 added: 6 in cu. "
        "Committed as version 3.\nTaken: energy from e, forces from f.\n"
    )
    bad = write("q.xyz", make_frames(1, seed=3)[0].text())
    words = ["ingest", "predictions", bad, "--model", "m1", "--lake", lk.storage.uri, "--json"]
    result = CliRunner().invoke(root, words, env={"ATOMLAKE": None})
    assert result.exit_code == 1
    answer = json.loads(result.output)
    assert (answer["rejects"], answer["rejected"][0]["frame"]) == (1, 0)
    unknown = ["ingest", "predictions", bad, "--model", "mx", "--lake", lk.storage.uri]
    result = CliRunner().invoke(root, unknown, env={"ATOMLAKE": None})
    assert result.exit_code == 2
    assert "Did you mean m1" in result.output
