"""Histograms and quantiles of the errors of atoms of a made-up comparison of losses."""

from __future__ import annotations

import numpy as np
import polars as pl

N_ATOMS = {"core": 8, "shell": 40, "outer": 201, "defect": 14, "bulk": 180}
BINS_A_DECADE = 20


def _draws(rows: pl.DataFrame, loss: str, region: str) -> np.ndarray:
    """Errors of atoms: as many as a region has, around the error of each structure."""
    column = {"bulk": "bulk", "defect": "defect"}[region]
    if rows[column].null_count():
        return np.zeros(0)
    random = np.random.default_rng(len(loss))
    means = rows.filter(loss=loss)[column].to_numpy()
    return (means[:, None] * random.gamma(2.0, 0.5, (len(means), N_ATOMS[region]))).ravel()


def histogram_of(rows: pl.DataFrame) -> pl.DataFrame:
    edges = np.concatenate([[0.0], 10 ** np.arange(-6, 1.01, 1 / BINS_A_DECADE)])
    frames = []
    for loss in rows["loss"].unique(maintain_order=True):
        for region in ("defect", "bulk"):
            counts, _ = np.histogram(_draws(rows, loss, region), edges)
            frames.append(
                pl.DataFrame(
                    {
                        "loss": loss,
                        "scheme": "legacy-2",
                        "region": region,
                        "low": edges[:-1],
                        "high": edges[1:],
                        "n_atoms": counts,
                    }
                ).filter(pl.col("n_atoms") > 0)
            )
    return pl.concat(frames)


def quantiles_of(rows: pl.DataFrame) -> pl.DataFrame:
    levels = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    table = []
    for loss in rows["loss"].unique(maintain_order=True):
        for region in ("defect", "bulk"):
            errors = _draws(rows, loss, region)
            if len(errors):
                values = {f"q{level * 100:02.0f}": np.quantile(errors, level) for level in levels}
                table.append(
                    {
                        "loss": loss,
                        "scheme": "legacy-2",
                        "region": region,
                        "n_atoms": len(errors),
                        **values,
                    }
                )
    return pl.DataFrame(table)
