"""Clusters of what is most uncertain, so that what is chosen can be spread over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from queries.ood.baseline.learning import k_means
from queries.ood.baseline.models import Settings
from queries.ood.result import OodScores

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl


def cluster_structures(
    result: OodScores, points: npt.NDArray[np.float64], settings: Settings
) -> pl.Series:
    """Clusters of the most uncertain structures among the candidates, from 1; NULL of all others.

    Parameters
    ----------
    points
        Where each row of the scores lies, along the components kept. Shape (n_rows, n_components).
    """
    import polars as pl

    scores = result.scores.select("structure_id", "rank").with_row_index("row")
    ranked = scores.drop_nulls("rank").sort("rank", "row")
    each_once = ranked.unique("structure_id", keep="first", maintain_order=True)
    share = round(len(each_once) * settings.share_uncertain)
    uncertain = each_once.head(max(share, settings.n_uncertain))
    found = number_clusters(points[uncertain["row"].to_numpy()], settings)
    named = uncertain.select("structure_id", cluster=pl.Series(found, dtype=pl.Int64))
    return scores.join(named, on="structure_id", how="left", maintain_order="left")["cluster"]


def number_clusters(points: npt.NDArray[np.float64], settings: Settings) -> npt.NDArray[np.int64]:
    """Clusters of points in order of rank, from 1: the first point is of the first cluster.

    Of fewer different points than clusters, each is a cluster.

    Parameters
    ----------
    points
        The most uncertain first. Shape (n_points, n_dimensions).
    """
    if not len(points):
        return np.zeros(0, np.int64)
    n_clusters = min(settings.n_clusters, len(np.unique(points, axis=0)))
    labels = k_means(points, n_clusters, settings.seed)
    _, first_places = np.unique(labels, return_index=True)
    order = np.argsort(np.argsort(first_places))
    return order[labels].astype(np.int64) + 1
