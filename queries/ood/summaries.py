"""Statistics and histograms of scores, set by set: pure functions on frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

BINS = 50


def score_statistics(scores: pl.DataFrame, names: Sequence[str], ensemble: str) -> pl.DataFrame:
    """Count, mean, sample deviation and quantiles of every score on every set.

    Structures without a score do not count.

    Returns
    -------
    ensemble, set, score, n_structures, mean, std, q50, q90, q95, q99; sets in the order in which
    they come first in `scores`.
    """
    import polars as pl

    long = _long(scores, names)
    value = pl.col("value")
    return (
        long.group_by("score", "set", maintain_order=True)
        .agg(
            value.count().cast(pl.Int64).alias("n_structures"),
            value.mean().alias("mean"),
            value.std().alias("std"),
            *(value.quantile(q / 100, "linear").alias(f"q{q}") for q in (50, 90, 95, 99)),
        )
        .select(pl.lit(ensemble).alias("ensemble"), "set", "score", pl.exclude("set", "score"))
    )


def score_histogram(scores: pl.DataFrame, names: Sequence[str], ensemble: str) -> pl.DataFrame:
    """Structures by score: 50 bins of equal width, the same for all sets; the last has both ends.

    Returns
    -------
    ensemble, set, score, bin, low, high, n_structures; empty bins too.
    """
    import polars as pl

    parts = []
    for (name,), of in _long(scores, names).group_by("score", maintain_order=True):
        edges = _edges(of["value"].drop_nulls().to_numpy())
        for (each,), part in of.group_by("set", maintain_order=True):
            counts, _ = np.histogram(part["value"].drop_nulls().to_numpy(), edges)
            parts.append(
                pl.DataFrame(
                    {
                        "ensemble": ensemble,
                        "set": each,
                        "score": name,
                        "bin": np.arange(BINS),
                        "low": edges[:-1],
                        "high": edges[1:],
                        "n_structures": counts,
                    }
                )
            )
    return pl.concat(parts)


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of the bins; values that can hardly be told apart are put into the middle one."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 4 * BINS * np.spacing(max(abs(low), abs(high))):
        margin = max(0.5, 1e-6 * abs(high))
        low, high = low - margin, high + margin
    return np.linspace(low, high, BINS + 1)


def _long(scores: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """``set``, ``score`` and ``value`` of scores that are known of any structure."""
    import polars as pl

    known = [name for name in names if scores[name].drop_nulls().len()]
    narrow = scores.select("set", *(pl.col(name).cast(pl.Float64) for name in known))
    return narrow.unpivot(known, index="set", variable_name="score", value_name="value")
