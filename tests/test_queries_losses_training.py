"""Training curves beside the comparison of losses: which run is whose, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparison_lakes import Member, Sample, write_curves, write_samples

import lake
from queries.losses.comparison import compare
from queries.losses.result import LossComparison

SAMPLE = Sample(np.zeros((2, 3)), ["defect", "bulk"], ["core", "bulk"])
VALIDATION = "val0_epoch/weighted_sum"
FORCES = "val0_epoch/forces_rmse"
TRAIN = "train_loss_step/weighted_sum"
Curve = tuple[str, str, int, float | None, str, float]


def compared(
    folder: Path, curves: Sequence[Curve], models: Mapping[str, Mapping[str, Any]]
) -> LossComparison:
    """A comparison of models of one loss, seeds counted from 0, with these runs in the lake."""
    lk = lake.create(str(folder / "lake"))
    forces = np.array([[0.1, 0, 0], [0, 0.2, 0]])
    members = [
        Member(name, "MSE", seed, [forces], more)
        for seed, (name, more) in enumerate(models.items())
    ]
    write_samples(lk, [SAMPLE], members)
    write_curves(lk, curves)
    return compare(lk, dataset="cu")


def curve(run_id: str, name: str, values: Sequence[float]) -> list[Curve]:
    """A run of NequIP: train loss at every other step without an epoch, validation after each."""
    rows: list[Curve] = []
    for epoch, value in enumerate(values):
        rows.append((run_id, name, 2 * epoch, None, TRAIN, value / 2))
        rows.append((run_id, name, 2 * epoch + 1, float(epoch), VALIDATION, value))
        rows.append((run_id, name, 2 * epoch + 1, float(epoch), FORCES, value / 4))
    return rows


def test_summary_of_runs(tmp_path: Path) -> None:
    curves = curve("r0", "m0", [3.0, 1.0, 2.0]) + curve("r1", "m1", [4.0, 3.0, 2.5])
    result = compared(tmp_path, curves, {"m0": {}, "m1": {}})
    first = result.tables["training_summary"].row(0, named=True)
    assert first == pytest.approx(
        {
            "run_name": "m0",
            "project": "p",
            "run_id": "r0",
            "state": "finished",
            "loss": "MSE",
            "seed": 0,
            "model": "m0",
            "last_epoch": 2.0,
            "last_validation_loss": 2.0,
            "best_validation_loss": 1.0,
            "best_epoch": 1.0,
            "last_train_loss": 1.0,
            "n_seeds": 2,
            "last_validation_std_over_seeds": 0.5 / sqrt(2),
            "best_validation_std_over_seeds": 1.5 / sqrt(2),
        }
    )


def test_the_best_epoch_is_unknown_where_no_epoch_was_logged_before(tmp_path: Path) -> None:
    curves: list[Curve] = [  # as MACE logs the loss before the first epoch
        ("r0", "m0", 0, None, "eval/loss", 1.0),
        ("r0", "m0", 1, 0.0, "eval/loss", 3.0),
        ("r0", "m0", 2, 1.0, "eval/loss", 2.0),
    ]
    summary = compared(tmp_path, curves, {"m0": {}}).tables["training_summary"]
    found = summary.select("best_validation_loss", "best_epoch", "last_epoch").row(0)
    assert found == (1.0, None, 1.0)


def test_a_run_that_diverged_has_a_best_loss_and_no_last_one(tmp_path: Path) -> None:
    curves = curve("r0", "m0", [3.0, float("nan")]) + curve("r1", "m1", [float("inf")] * 2)
    summary = compared(tmp_path, curves, {"m0": {}, "m1": {}}).tables["training_summary"]
    best = summary.select("best_validation_loss", "best_epoch").rows()
    assert best == [(3.0, 0.0), (float("inf"), 0.0)]
    assert summary["last_validation_loss"].is_nan().to_list() == [True, False]
    assert summary["last_validation_std_over_seeds"].is_nan().to_list() == [True, True]


def test_curves_know_the_epoch_of_rows_that_gave_none(tmp_path: Path) -> None:
    result = compared(tmp_path, curve("r0", "m0", [3.0, 1.0]), {"m0": {}})
    train = result.training.filter(curve="train_loss")
    assert train["step"].to_list() == [0, 2]
    assert train["epoch"].to_list() == [None, 0.0]
    assert train["value"].to_list() == [1.5, 0.5]
    assert set(result.training["curve"]) == {
        "train_loss",
        "validation_loss",
        "validation_forces_rmse",
    }


@pytest.mark.parametrize(
    ("key", "curve_name"),
    [
        ("opt/loss", "train_loss"),
        ("train_loss_epoch/weighted_sum", "train_loss"),
        ("eval/loss", "validation_loss"),
        ("eval/head/loss", "validation_loss"),
        ("Default.valid_loss", "validation_loss"),
        ("val_loss", "validation_loss"),
        ("eval/rmse_f", "validation_forces_rmse"),
        ("Default.valid_rmse_f", "validation_forces_rmse"),
    ],
)
def test_other_trainers_have_other_keys(tmp_path: Path, key: str, curve_name: str) -> None:
    result = compared(tmp_path, [("r0", "m0", 0, 0.0, key, 1.0)], {"m0": {}})
    assert result.training.select("curve", "key").rows() == [(curve_name, key)]


def test_the_step_goes_before_the_epoch_and_strangers_stay_out(tmp_path: Path) -> None:
    curves: list[Curve] = [
        ("r0", "m0", 0, 0.0, "train_loss_epoch/weighted_sum", 1.0),
        ("r0", "m0", 0, 0.0, TRAIN, 2.0),
        ("r0", "m0", 0, 0.0, "my_train_loss_step/weighted_sum_2", 3.0),
        ("r9", "other", 0, 0.0, TRAIN, 4.0),
    ]
    result = compared(tmp_path, curves, {"m0": {}})
    assert result.training["value"].to_list() == [2.0]


def test_a_model_names_its_run(tmp_path: Path) -> None:
    curves = curve("r0", "some-name", [3.0]) + curve("m0", "m1", [5.0]) + curve("r2", "m0", [7.0])
    models = {
        "m0": {"run_id": "r0", "run_project": "p"},
        "m1": {"run_id": "r2"},
        "m2": {"run_id": "r0", "run_project": "elsewhere"},
    }
    result = compared(tmp_path, curves, models)
    found = dict(result.tables["training_summary"].select("model", "run_id").rows())
    assert found == {"m0": "r0", "m1": "r2"}
    assert dict(result.models.select("model", "run_id").rows()) == found | {"m2": None}
    assert any("No training run is known of m2" in warning for warning in result.warnings)


def test_two_runs_of_one_name_are_listed_and_none_is_taken(tmp_path: Path) -> None:
    curves = curve("r0", "m0", [3.0]) + curve("r1", "m0", [4.0])
    result = compared(tmp_path, curves, {"m0": {}})
    assert result.tables["training_summary"].is_empty()
    assert result.training.is_empty()
    said = next(w for w in result.warnings if w.startswith("2 runs could be that of m0"))
    assert "p/r0, p/r1" in said
    assert "atomlake model edit m0 --run p/r0" in said
    assert result.models["run_id"].to_list() == [None]


def test_runs_whose_logs_do_not_say_whether_they_ended_are_said_at_once(tmp_path: Path) -> None:
    from lake_samples import append

    lk = lake.create(str(tmp_path / "lake"))
    members = [Member(f"m{seed}", "MSE", seed, [np.zeros((2, 3))]) for seed in range(2)]
    write_samples(lk, [SAMPLE], members)
    run = {"project": "p", "state": "unknown"}
    append(lk, runs=[{**run, "run_id": f"r{seed}", "name": f"m{seed}"} for seed in range(2)])
    said = [w for w in compare(lk, dataset="cu").warnings if "ended" in w or "did not finish" in w]
    [one] = said
    assert one.startswith("Whether training ended is not logged for m0, m1: ")


def test_a_run_that_did_not_finish_is_said(tmp_path: Path) -> None:
    from lake_samples import append

    lk = lake.create(str(tmp_path / "lake"))
    write_samples(lk, [SAMPLE], [Member("m0", "MSE", 0, [np.zeros((2, 3))])])
    append(lk, runs=[{"project": "p", "run_id": "r", "name": "m0", "state": "crashed"}])
    result = compare(lk, dataset="cu")
    assert any("did not finish (state crashed)" in w for w in result.warnings)
    assert any("No validation loss was logged for m0" in w for w in result.warnings)
    summary = result.tables["training_summary"].row(0, named=True)
    assert (summary["state"], summary["last_validation_loss"], summary["n_seeds"]) == (
        "crashed",
        None,
        0,
    )
