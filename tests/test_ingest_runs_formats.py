"""Training runs in the logs of MACE and of Lightning."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from run_samples import counts, write

from ingest.runs.api import ingest_runs
from lake.errors import InvalidInputError
from lake.lake import Lake

MACE = [
    {"loss": 5.5, "rmse_f": 0.7, "time": 0.1, "mode": "eval", "epoch": None, "head": "Default"},
    {"loss": 4.0, "time": 0.2, "mode": "opt", "epoch": 0},
    {"loss": math.nan, "time": 0.3, "mode": "opt", "epoch": 0},
    {"loss": 3.5, "rmse_f": 0.6, "time": 0.4, "mode": "eval", "epoch": 0, "head": "Default"},
    {"loss": 3.0, "rmse_f": 0.5, "time": 0.4, "mode": "eval", "epoch": 0, "head": "pt"},
]


def mace_log(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_log_of_mace_has_a_step_per_line_and_modes_in_its_keys(lk: Lake, tmp_path: Path) -> None:
    path = tmp_path / "results/tiny_run-2_train.txt"
    report = ingest_runs(lk, "mace-log", [write(path, mace_log(MACE[:3])[:-4])], project="p")
    assert (counts(lk), report.is_clean) == ((1, 5), True)
    assert any("is being written" in note for _, note in report.notes)
    ingest_runs(lk, "mace-log", [write(path, mace_log(MACE))], project="p", strict=True)
    rows = lk.sql(
        "SELECT step, epoch, key, value FROM training_history ORDER BY step, key"
    ).fetchall()
    assert rows[:3] == [
        (0, None, "eval/loss", 5.5),
        (0, None, "eval/rmse_f", 0.7),
        (0, None, "eval/time", 0.1),
    ]
    assert rows[3] == (1, 0.0, "opt/loss", 4.0)
    assert math.isnan(rows[5][3])
    assert rows[-3:] == [
        (4, 0.0, "eval/pt/loss", 3.0),
        (4, 0.0, "eval/pt/rmse_f", 0.5),
        (4, 0.0, "eval/pt/time", 0.4),
    ]
    assert lk.sql("SELECT name, state, config FROM runs").fetchall() == [
        ("tiny_run-2", "unknown", '{"seed": 2}')
    ]
    other = [{**MACE[0], "time": 0.7}]
    ingest_runs(
        lk, "mace-log", [write(tmp_path / "b/tiny_run-2_train.txt", mace_log(other))], project="p"
    )
    assert lk.sql("SELECT COUNT(DISTINCT run_id), COUNT(DISTINCT name) FROM runs").fetchall() == [
        (2, 1)
    ]
    assert lk.check() == []


def test_a_line_mace_did_not_write_is_refused(lk: Lake, tmp_path: Path) -> None:
    text = mace_log(MACE[:2]) + "Traceback\n" + '{"loss": 1}\n' + mace_log(MACE[2:])
    report = ingest_runs(lk, "mace-log", [write(tmp_path / "a_train.txt", text)], project="p")
    assert [reject.line for _, reject in report.rejects] == [3, 4]
    assert counts(lk) == (1, 13)
    assert lk.check() == []
    with pytest.raises(InvalidInputError, match="no line is a JSON object"):
        ingest_runs(lk, "mace-log", [write(tmp_path / "b_train.txt", "Traceback\n")], project="p")


LIGHTNING = """epoch,lr-Adam,step,train_loss_step/weighted_sum,val0_epoch/forces_rmse
0,0.01,0,1.5,
0,,9,nan,
0,,9,,0.25
1,0.01,10,1e-3,
"""


def test_a_csv_of_lightning_is_sparse_and_may_still_grow(lk: Lake, tmp_path: Path) -> None:
    path = tmp_path / "logs/loss-a/version_0/metrics.csv"
    cut = LIGHTNING.rindex("1e-3") + 1  # "1" of 1e-3, which would be a wrong number
    report = ingest_runs(lk, "lightning", [write(path, LIGHTNING[:cut])], project="p")
    assert counts(lk) == (1, 4)
    assert any("line 5 has no end yet" in note for _, note in report.notes)
    more = (
        LIGHTNING.replace("rmse\n", "rmse,new\n")
        .replace(",\n", ",,\n")
        .replace("0.25\n", "0.25,\n")
    )
    ingest_runs(lk, "lightning", [write(path, more + "1,,11,,,7\n")], project="p", strict=True)
    rows = lk.sql(
        "SELECT step, epoch, key, value FROM training_history ORDER BY step, key"
    ).fetchall()
    assert len(rows) == 7
    assert rows[0] == (0, 0.0, "lr-Adam", 0.01)
    assert rows[3] == (9, 0.0, "val0_epoch/forces_rmse", 0.25)
    assert rows[5:] == [(10, 1.0, "train_loss_step/weighted_sum", 0.001), (11, 1.0, "new", 7.0)]
    assert lk.sql("SELECT name FROM runs").fetchall() == [("loss-a/version_0",)]
    curves = lk.sql(
        'SELECT run_name, step, epoch, "train_loss_step/weighted_sum", "val0_epoch/forces_rmse" '
        "FROM training_curves ORDER BY step"
    ).fetchall()
    assert curves[0] == ("loss-a/version_0", 0, 0.0, 1.5, None)
    assert math.isnan(curves[1][3])
    assert (curves[1][4], curves[2][3], len(curves)) == (0.25, 0.001, 3)
    assert lk.check() == []


def test_runs_of_lightning_that_begin_alike_are_kept_apart(lk: Lake, tmp_path: Path) -> None:
    for seed in (1, 2):
        text = f"epoch,lr-Adam,step,loss\n0,0.01,0,\n0,,{seed},0.{seed}\n"
        write(tmp_path / f"seed{seed}/lightning_logs/version_0/metrics.csv", text)
    ingest_runs(lk, "lightning", [str(tmp_path / "seed*")], project="p", strict=True)
    query = "SELECT COUNT(DISTINCT run_id), COUNT(DISTINCT name) FROM runs"
    assert lk.sql(query).fetchall() == [(2, 1)]
    assert counts(lk) == (2, 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "no column is called 'step'"),
        ("step,epoch\n", "no rows yet"),
        ("step,step\n1,2\n", "names step twice"),
        ('step,a\n1,"2\n', "Expected CSV"),
    ],
)
def test_a_csv_that_is_none_of_lightning_is_an_error(
    lk: Lake, tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        ingest_runs(lk, "lightning", [write(tmp_path / "metrics.csv", text)], project="p")


def test_rows_of_a_csv_that_are_wrong_are_refused(lk: Lake, tmp_path: Path) -> None:
    text = "step,a\n0,1\n1\nx,2\n2,3\n"
    report = ingest_runs(lk, "lightning", [write(tmp_path / "metrics.csv", text)], project="p")
    assert sorted(reject.line for _, reject in report.rejects) == [3, 4]
    assert counts(lk) == (1, 2)
    assert lk.check() == []


def test_a_name_is_for_one_file(lk: Lake, tmp_path: Path) -> None:
    files = [write(tmp_path / f"{i}_train.txt", mace_log(MACE)) for i in (1, 2)]
    with pytest.raises(InvalidInputError, match="2 files are named"):
        ingest_runs(lk, "mace-log", files, project="p", name="x")
    ingest_runs(lk, "mace-log", files[:1], project="p", name="x")
    assert lk.sql("SELECT name FROM runs").fetchall() == [("x",)]
