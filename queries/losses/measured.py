"""Errors of a comparison as arrays, loss by loss.

Sums are numpy's and not those of Polars, which adds up as its threads come, so that the last digits
differ each time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def losses_of(errors: pl.DataFrame) -> list[str]:
    """The losses, in alphabetical order."""
    return [str(loss) for loss in errors["loss"].unique().sort()]


def n_seeds_of(errors: pl.DataFrame) -> dict[str, int]:
    """How many models each loss has."""
    return dict(errors.group_by("loss").agg(pl.col("model").n_unique()).rows())


def values_of(errors: pl.DataFrame, loss: str, measure: str) -> Floats:
    """What is there of a measure of a loss, structures times seeds. Shape (n,)."""
    return errors.filter(loss=loss)[measure].drop_nulls().to_numpy()


def seed_means(errors: pl.DataFrame, measure: str) -> dict[str, Floats]:
    """Of each loss, the means over structures of the models that have any. Shape (n_seeds,)."""
    means = {loss: _mean(part, axis=0) for loss, part in _by_loss(errors, measure).items()}
    return {loss: of_seeds[~np.isnan(of_seeds)] for loss, of_seeds in means.items()}


def differences_of(errors: pl.DataFrame, measure: str, pairs: Sequence[tuple[str, str]]) -> Floats:
    """Mean over the seeds of the first loss minus that of the second, structure by structure.

    NaN where one has no value. Shape (n_structures, n_pairs).
    """
    values = _by_loss(errors, measure)
    means = {loss: _mean(of_loss, axis=1) for loss, of_loss in values.items()}
    differences = [means[first] - means[second] for first, second in pairs]
    n_structures = errors["structure_idx"].n_unique()
    return np.array(differences).reshape(len(pairs), n_structures).T


def _by_loss(errors: pl.DataFrame, measure: str) -> dict[str, Floats]:
    """Of each loss, structures down and seeds across; NaN where there is no value.

    Shape (n_structures, n_seeds).
    """
    wide = errors.pivot("model", index="structure_idx", values=measure).sort("structure_idx")
    models = errors.select("loss", "model").unique().sort("loss", "model")
    return {
        str(loss): wide.select(pl.col(part["model"]).cast(pl.Float64)).to_numpy()
        for (loss,), part in models.group_by("loss", maintain_order=True)
    }


def _mean(values: Floats, axis: int) -> Floats:
    """The mean of what is no NaN, and NaN of nothing."""
    counts = (~np.isnan(values)).sum(axis=axis)
    sums = np.nansum(values, axis=axis)
    means: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means
