"""The bars of a comparison: names and heights from the same rows of the same table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from queries.figures.bars import Bar
from queries.losses.result import LossComparison

MEV = 1000.0
PERCENT = 100.0
ERROR_UNIT = "meV/Å"


def loss_names(comparison: LossComparison) -> list[str]:
    """The losses, in the order in which every panel has them."""
    names: list[str] = comparison.tables["ensemble_summary"]["loss"].to_list()
    return names


def ensemble_bars(comparison: LossComparison, measure: str, factor: float = MEV) -> list[Bar]:
    """A bar per loss: mean over structures and seeds, spread over seeds."""
    seeds = _means_of_seeds(comparison, "summary_statistics", f"{measure}_mean")
    return [
        Bar(
            row["loss"],
            scaled(row[f"{measure}_mean"], factor),
            scaled(row[f"{measure}_std_over_seeds"], factor),
            _points(seeds, row["loss"], factor),
        )
        for row in comparison.tables["ensemble_summary"].iter_rows(named=True)
    ]


def region_bars(comparison: LossComparison, region: str) -> dict[str, Bar]:
    """A bar of one of the three regions for each loss."""
    seeds = _means_of_seeds(comparison, "3region_summary", f"{region}_mae_mean")
    rows = comparison.tables["errors_by_loss"].filter(
        scheme=comparison.selection.three_regions, region=region
    )
    bars = {
        row["loss"]: Bar(
            row["loss"],
            scaled(row["mae_mean_over_structures"], MEV),
            scaled(row["mae_std_over_seeds"], MEV),
            _points(seeds, row["loss"], MEV),
        )
        for row in rows.iter_rows(named=True)
    }
    return {loss: bars.get(loss, Bar(loss, None, None)) for loss in loss_names(comparison)}


def ratio_bars(comparison: LossComparison, ratio: str) -> list[Bar]:
    """A bar of a ratio between the three regions for each loss."""
    column = f"{ratio.replace('/', '_')}_ratio_mean"
    seeds = _means_of_seeds(comparison, "3region_summary", column)
    rows = comparison.tables["ratios_by_loss"].filter(
        scheme=comparison.selection.three_regions, ratio=ratio
    )
    bars = {
        row["loss"]: Bar(
            row["loss"],
            scaled(row["mean_over_structures"], 1),
            scaled(row["std_over_seeds"], 1),
            _points(seeds, row["loss"], 1),
        )
        for row in rows.iter_rows(named=True)
    }
    return [bars.get(loss, Bar(loss, None, None)) for loss in loss_names(comparison)]


def variation_bars(comparison: LossComparison, measures: Sequence[str]) -> dict[str, list[Bar]]:
    """Bars of the coefficients of variation in per cent, for each loss one per measure."""
    return {
        row["loss"]: [
            Bar(
                f"{row['loss']}, {m}",
                scaled(row[f"{m}_variation"], PERCENT),
                None,
                without="one seed" if row["n_seeds"] < 2 else "no atoms",
            )
            for m in measures
        ]
        for row in comparison.tables["reproducibility"].iter_rows(named=True)
    }


def scaled(value: float | None, factor: float) -> float | None:
    """A number in another unit; what is no number is none."""
    return None if value is None or not math.isfinite(value) else value * factor


def _means_of_seeds(comparison: LossComparison, table: str, column: str) -> pl.DataFrame:
    """The means of the models, with loss."""
    models = comparison.models.select("model", "loss")
    means = comparison.tables[table].select("model", pl.col(column).alias("mean"))
    return means.join(models, on="model", maintain_order="left").drop_nulls("mean")


def _points(seeds: pl.DataFrame, loss: str, factor: float) -> tuple[float, ...]:
    return tuple(seeds.filter(loss=loss)["mean"] * factor)
