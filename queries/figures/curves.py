"""Training curves as they are drawn: means and ranges over seeds, at most so many points."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

MOST_POINTS = 300  # more than that a line of two inches cannot show


@dataclass(frozen=True)
class Curves:
    """Curves of several losses.

    Attributes
    ----------
    rows
        loss, x, mean, low, high, std, n_seeds; in order of loss and x. `std` is None for one seed.
    axis
        What x is: ``"Epoch"`` or ``"Step"``.
    """

    rows: pl.DataFrame
    axis: str

    @property
    def is_positive(self) -> bool:
        """Whether a logarithmic axis can show all of them."""
        lowest = self.rows["low"].min()
        return isinstance(lowest, float) and lowest > 0


def curves_of(training: pl.DataFrame, curve: str) -> Curves:
    """The curves of one kind, a line per loss.

    Values of one run at one place are averaged first, then the runs, then neighbouring places
    where there are more than can be seen. What is no finite number is left out.

    Parameters
    ----------
    training
        ``loss``, ``seed``, ``model``, ``step``, ``epoch``, ``curve`` and ``value``, in order of
        step.
    """
    known = training.filter(pl.col("curve") == curve, pl.col("value").is_finite())
    by_epoch = bool(
        len(known)
        and known.group_by("model").agg(pl.col("epoch").is_not_null().any())["epoch"].all()
    )
    # Rows before the first one with an epoch belong to that epoch.
    place = pl.col("epoch").backward_fill().over("model") if by_epoch else pl.col("step")
    placed = known.with_columns(x=place.cast(pl.Float64)).drop_nulls("x")
    runs = placed.group_by("loss", "model", "x").agg(pl.mean("value"))
    rows = runs.group_by("loss", "x").agg(
        mean=pl.mean("value"),
        low=pl.min("value"),
        high=pl.max("value"),
        std=pl.std("value"),
        n_seeds=pl.len(),
    )
    return Curves(_coarser(rows).sort("loss", "x"), "Epoch" if by_epoch else "Step")


def _coarser(rows: pl.DataFrame) -> pl.DataFrame:
    """The same with neighbours averaged where there are too many.

    The spread over seeds is that at single places, averaged: seeds that were averaged over many
    places first would be closer to each other than they are.
    """
    if rows["x"].n_unique() <= MOST_POINTS:
        return rows
    lowest, highest = rows["x"].min(), rows["x"].max()
    assert isinstance(lowest, float)
    assert isinstance(highest, float)
    width = (highest - lowest) / MOST_POINTS
    cell = ((pl.col("x") - lowest) / width).floor().clip(0, MOST_POINTS - 1)
    return rows.group_by("loss", x=lowest + (cell + 0.5) * width).agg(
        pl.mean("mean", "low", "high", "std"), pl.max("n_seeds")
    )
