"""Curves of training and densities of errors: what is averaged before it is drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from loss_curves import TRAINING_SCHEMA

from queries.figures.curves import MOST_POINTS, curves_of
from queries.figures.distributions import density

pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")


def row(model: str, loss: str, step: int, epoch: float | None, value: float) -> dict[str, Any]:
    return {"loss": loss, "model": model, "step": step, "epoch": epoch, "value": value}


def curve(rows: list[dict[str, Any]], kind: str = "validation_loss") -> pl.DataFrame:
    filled = [{**dict.fromkeys(TRAINING_SCHEMA), "curve": kind, **each} for each in rows]
    return pl.DataFrame(filled, schema=TRAINING_SCHEMA)


def test_curves_average_a_run_first_and_then_the_runs() -> None:
    rows = [
        row("a", "MSE", 0, None, 8.0),  # belongs to the first epoch
        row("a", "MSE", 1, 0.0, 4.0),
        row("a", "MSE", 2, 1.0, 3.0),
        row("b", "MSE", 0, 0.0, 2.0),
        row("b", "MSE", 1, 1.0, math.nan),
        row("b", "MSE", 2, 2.0, math.inf),
    ]
    found = curves_of(curve(rows), "validation_loss")
    assert found.axis == "Epoch"
    assert found.rows.drop("loss").rows() == [
        # x, mean of 6 and 2, low, high, sample deviation, runs
        (0.0, 4.0, 2.0, 6.0, pytest.approx(math.sqrt(8)), 2),
        (1.0, 3.0, 3.0, 3.0, None, 1),
    ]
    assert found.is_positive


def test_curves_go_by_step_where_a_run_knows_no_epochs() -> None:
    rows = [row("a", "MSE", 5, 1.0, -1.0), row("b", "MSE", 5, None, 3.0)]
    found = curves_of(curve(rows), "validation_loss")
    assert found.axis == "Step"
    assert found.rows.select("x", "mean", "n_seeds").rows() == [(5.0, 1.0, 2)]
    assert not found.is_positive
    assert curves_of(curve(rows), "train_loss").rows.is_empty()


def test_long_curves_are_averaged_not_sampled() -> None:
    values = np.random.default_rng(1).uniform(1, 2, 10_000)
    rows = [row("a", "MSE", step, None, value) for step, value in enumerate(values)]
    found = curves_of(curve(rows), "validation_loss").rows
    assert len(found) == MOST_POINTS
    assert found["mean"].mean() == pytest.approx(values.mean(), rel=1e-3)


def test_averaging_does_not_bring_seeds_closer() -> None:
    rows = [
        row(model, "MSE", step, float(step), 1.0 + 2.0 * ((step + shift) % 2))
        for shift, model in enumerate("ab")
        for step in range(10 * MOST_POINTS)
    ]
    found = curves_of(curve(rows), "validation_loss").rows
    assert len(found) == MOST_POINTS
    for column, expected in (("mean", 2), ("low", 1), ("high", 3), ("std", math.sqrt(2))):
        assert found[column].to_list() == pytest.approx([expected] * MOST_POINTS)


def test_density_integrates_to_one_and_is_zero_where_no_atoms_are() -> None:
    edges = 10 ** np.arange(-3, 0.01, 0.05)
    bins = pl.DataFrame(
        {
            "low": [0.0, edges[4], edges[10]],
            "high": [edges[0], edges[5], edges[11]],
            "n_atoms": [1, 3, 4],
        }
    )
    found, shares = density(bins[[2, 0, 1]])
    assert (shares * np.diff(np.log10(found))).sum() == pytest.approx(1)
    assert shares == pytest.approx([1 / 8 / 0.05, 0, 3 / 8 / 0.05, 0, 4 / 8 / 0.05])
    assert np.all(np.diff(found) > 0)
