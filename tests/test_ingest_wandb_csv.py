"""CSV exports of wandb's pages: the table of runs, and panels."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path

import pytest
from extxyz_samples import data_path
from wandb_samples import history, log, run

from ingest.runs.api import ingest_runs
from lake.errors import InvalidInputError
from lake.lake import Lake

BY_GENERATION = """
SELECT
    CAST(REGEXP_EXTRACT(name, 'gen(\\d+)', 1) AS INTEGER) AS generation,
    COUNT(*) AS n_seeds,
    AVG(CAST(summary ->> '$."test0_epoch/forces_rmse"' AS DOUBLE)) AS mean,
    STDDEV_SAMP(CAST(summary ->> '$."test0_epoch/forces_rmse"' AS DOUBLE)) AS std
FROM runs
WHERE project = 'generations'
GROUP BY generation
ORDER BY generation
"""


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_the_real_table_gives_the_published_errors_by_generation(lk: Lake) -> None:
    path = data_path("wandb", "runs_gen0-10.csv")
    report = ingest_runs(lk, "wandb", [str(path)], project="generations", strict=True)
    assert (report.total("rows"), report.notes) == (33, [])
    found = {g: (n, mean, std) for g, n, mean, std in lk.sql(BY_GENERATION).fetchall()}
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(found) == 11
    for generation, (n, mean, std) in found.items():
        errors = [
            float(row["test0_epoch/forces_rmse"])
            for row in rows
            if row["Name"].startswith(f"gen{generation}_")
        ]
        assert n == len(errors) == 3
        assert mean == pytest.approx(statistics.mean(errors), rel=1e-14)
        assert std == pytest.approx(statistics.stdev(errors), rel=1e-12)
    assert [round(x, 4) for x in found[7][1:]] == [0.7333, 0.0311]
    assert [round(x, 4) for x in found[10][1:]] == [0.2511, 0.0069]
    assert lk.check() == []


def test_every_column_of_the_real_table_is_kept(lk: Lake) -> None:
    path = data_path("wandb", "runs_gen0-10.csv")
    ingest_runs(lk, "wandb", [str(path)], project="generations")
    stored = lk.sql(
        "SELECT name, config, summary, attributes, state, created_at FROM runs"
    ).fetchall()
    with path.open(newline="") as stream:
        rows = {row["Name"]: row for row in csv.DictReader(stream)}
    assert len(stored) == len(rows) == 33
    for name, config, summary, attributes, state, created_at in stored:
        row = rows[name]
        values = json.loads(config) | json.loads(summary)
        assert len(values) == 186 - 8
        for column, value in values.items():
            text = row[column]
            if value is None:
                assert text == ""
            elif isinstance(value, bool):
                assert text == str(value).lower()
            elif isinstance(value, int | float):
                assert float(text) == value
            elif isinstance(value, str):
                assert text == value
            else:
                assert json.loads(text) == value
        assert "epoch" in json.loads(summary)
        assert "val_metrics.metrics" in json.loads(config)
        assert "epoch" not in json.loads(config)
        assert json.loads(attributes) == {"runtime": int(row["Runtime"])}
        assert (state, created_at.isoformat()[:19]) == ("finished", row["Created"][:19])


TABLE = """Name,State,Created,lr,seed,val/loss,zeta
a,finished,2025-01-01T00:00:00.000Z,1e-3,1,0.5,"{""x"":[1,null]}"
a,running,2025-01-02T00:00:00.000Z,1e-3,007,NaN,
"""


def test_runs_of_a_table_without_ids_are_told_apart_by_name_and_time(
    lk: Lake, tmp_path: Path
) -> None:
    file = write(tmp_path / "t.csv", TABLE)
    report = ingest_runs(lk, "wandb", [file], project="p")
    # Columns in one order alone: no border between config and summary, and that is said.
    assert "were taken as summary" in report.notes[0][1]
    rows = lk.sql("SELECT state, config, summary FROM runs ORDER BY state").fetchall()
    assert [(s, json.loads(c), json.loads(v)) for s, c, v in rows] == [
        ("finished", {"lr": 0.001, "seed": 1, "zeta": {"x": [1, None]}}, {"val/loss": 0.5}),
        ("running", {"lr": 0.001, "seed": "007", "zeta": None}, {"val/loss": "NaN"}),
    ]
    later = TABLE.replace("running", "finished").replace("NaN", "0.25")
    report = ingest_runs(lk, "wandb", [write(tmp_path / "t2.csv", later)], project="p")
    assert (report.total("rows"), report.total("duplicates")) == (1, 1)
    states = lk.sql("SELECT state, summary FROM runs ORDER BY created_at").fetchall()
    assert states == [("finished", '{"val/loss": 0.5}'), ("finished", '{"val/loss": 0.25}')]
    twice = TABLE + "a,finished,2025-01-01T00:00:00.000Z,1,1,1,1\nshort,row\n"
    report = ingest_runs(lk, "wandb", [write(tmp_path / "t3.csv", twice)], project="q")
    assert [reject.line for _, reject in report.rejects] == [5, 4]
    assert lk.check() == []


def test_a_table_with_ids_meets_the_runs_of_files(lk: Lake, tmp_path: Path) -> None:
    (tmp_path / "a.wandb").write_bytes(log([run("abc", "a", "p"), history(0, {"k": 1.0})]))
    ingest_runs(lk, "wandb", [str(tmp_path / "a.wandb")])
    text = "Name,ID,State,Tags,lr,seed,epoch,val/loss\na,abc,crashed,t1,1,2,3,4\n"
    ingest_runs(lk, "wandb", [write(tmp_path / "t.csv", text)], project="p", strict=True)
    assert lk.sql("SELECT run_id, state, config, summary, attributes FROM runs").fetchall() == [
        ("abc", "crashed", '{"lr": 1, "seed": 2}', '{"epoch": 3, "val/loss": 4}', '{"tags": "t1"}')
    ]


PANEL = """"Step","a - val/loss","a - val/loss__MIN","a - val/loss__MAX","b - c - val/loss"
0,1.5,1.25,1.75,
10,,,,"NaN"
20,1e-3,1e-3,1e-3,2
"""


def test_a_panel_gives_a_curve_of_every_column(lk: Lake, tmp_path: Path) -> None:
    (tmp_path / "a.wandb").write_bytes(log([run("abc", "a", "p"), history(0, {"val/loss": 1.5})]))
    ingest_runs(lk, "wandb", [str(tmp_path / "a.wandb")])
    report = ingest_runs(lk, "wandb", [write(tmp_path / "p.csv", PANEL)], project="p", strict=True)
    assert "samples the curves" in report.notes[0][1]
    assert (report.total("duplicates"), dict(report.kinds)) == (
        2,  # the run a, and its value at step 0
        {"numbers": 8},
    )
    rows = lk.sql(
        "SELECT r.name, h.step, h.key, h.value::VARCHAR FROM training_history h "
        "JOIN runs r USING (project, run_id) ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("a", 0, "val/loss", "1.5"),
        ("a", 0, "val/loss__MAX", "1.75"),
        ("a", 0, "val/loss__MIN", "1.25"),
        ("a", 20, "val/loss", "0.001"),
        ("a", 20, "val/loss__MAX", "0.001"),
        ("a", 20, "val/loss__MIN", "0.001"),
        ("b - c", 10, "val/loss", "nan"),
        ("b - c", 20, "val/loss", "2.0"),
    ]
    assert ingest_runs(lk, "wandb", [str(tmp_path / "p.csv")], project="p").version is None
    assert lk.sql("SELECT COUNT(*) FROM runs").fetchall() == [(2,)]
    assert lk.check() == []


def test_a_panel_of_a_name_that_two_runs_have_is_an_error(lk: Lake, tmp_path: Path) -> None:
    ingest_runs(lk, "wandb", [write(tmp_path / "t.csv", TABLE)], project="p")
    with pytest.raises(InvalidInputError, match=r"may be 2 runs: p/csv-\w+ \(a\), p/csv-\w+ \(a\)"):
        ingest_runs(lk, "wandb", [write(tmp_path / "p.csv", PANEL)], project="p")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("epoch,a - b\n1,2\n", "first column is 'epoch'"),
        ("Step,loss\n1,2\n", "names no run and key"),
        ("", "the file is empty|is empty"),
        ("Name,Name\n", "names Name twice"),
        ('Name,a\nx,"1\n', "Expected CSV"),
    ],
)
def test_a_csv_that_is_no_export_is_an_error(
    lk: Lake, tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        ingest_runs(lk, "wandb", [write(tmp_path / "x.csv", text)], project="p")
