"""Where structures lie on maps of two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from queries.ood.baseline.learning import t_sne
from queries.ood.baseline.models import Baseline, Settings
from queries.ood.result import IDENTITY, OodScores

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

FEWEST_ON_MAP = 4  # neighbours of fewer say nothing


def map_structures(
    result: OodScores,
    baseline: Baseline,
    scores: pl.DataFrame,
    vectors: npt.NDArray[np.float64],
    *,
    is_mapped: bool = True,
) -> pl.DataFrame:
    """Every structure once, with its places; see `queries.ood.baseline.scoring.BaselineScores`.

    Parameters
    ----------
    scores
        ``negative_log_likelihood`` and ``cluster``, row by row as in the scores of the result.
    vectors
        Embeddings, likewise. Shape (n_rows, n_features).
    """
    import polars as pl

    chosen = result.chosen["structure_id"].implode()
    places = {
        **_first_two("pca", baseline.kept.coordinates(vectors)),
        **_first_two("density", baseline.mixture.coordinates(vectors)),
    }
    rows = (
        result.scores.select(*IDENTITY, "is_baseline", pl.col(result.score).alias("score"))
        .hstack(scores.select("negative_log_likelihood", "cluster"))
        .hstack(pl.DataFrame(places))
        .with_columns(pl.col("structure_id").is_in(chosen).alias("is_chosen"))
        .with_row_index("row")
        .unique("structure_id", keep="first", maintain_order=True)
    )
    is_on = _sample(rows["is_chosen"].to_numpy(), baseline.settings) & is_mapped
    placed = np.full((len(rows), 2), np.nan)
    if is_on.sum() >= FEWEST_ON_MAP:
        points = baseline.kept.coordinates(vectors[rows["row"].to_numpy()[is_on]])
        placed[is_on] = t_sne(points, baseline.settings.seed)
    t_sne_places = pl.DataFrame(_first_two("t_sne", placed)).fill_nan(None)
    return rows.drop("row").hstack(t_sne_places)


def _sample(is_chosen: npt.NDArray[np.bool_], settings: Settings) -> npt.NDArray[np.bool_]:
    """What is on a map of at most so many: the chosen, and others drawn at random."""
    room = max(settings.n_on_map - int(is_chosen.sum()), 0)
    others = np.flatnonzero(~is_chosen)
    drawn = np.random.default_rng(settings.seed).permutation(others)[:room]
    is_on = is_chosen.copy()
    is_on[drawn] = True
    return is_on


def _first_two(name: str, points: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
    """The first two coordinates as columns; 0 where there is one dimension alone."""
    flat = np.zeros(len(points))
    second = points[:, 1] if points.shape[1] > 1 else flat
    return {f"{name}_1": points[:, 0], f"{name}_2": second}
