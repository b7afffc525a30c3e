"""How far structures lie from a baseline, by each of its models.

d_latent
    Euclidean distance to the centre of the baseline, along the components kept.
pca_residual
    Distance from the plane of the components kept: what d_latent does not see.
mahalanobis, mahalanobis_squared
    Along the components kept, each divided by its standard deviation (sample covariance, n - 1).
    There it is never singular.
mahalanobis_unreduced, mahalanobis_unreduced_squared
    The same along all components, with the pseudo-inverse of the covariance where it is singular:
    directions in which the baseline does not vary beyond rounding do not count.
knn_kth_distance, knn_mean_distance
    Euclidean distance of the embeddings themselves to the k-th nearest structure of the baseline,
    and the mean over the k nearest. A structure is not its own neighbour, told by its id.
negative_log_likelihood
    Minus the logarithm of the density of the Gaussian mixture, in nats.

Embeddings have no unit, so none of these has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lake.errors import InvalidInputError
from queries.ood.baseline.fitting import check_finite
from queries.ood.baseline.models import Baseline
from queries.ood.baseline.neighbours import nearest_distances

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

DISTANCES = (
    "d_latent",
    "pca_residual",
    "mahalanobis",
    "mahalanobis_squared",
    "mahalanobis_unreduced",
    "mahalanobis_unreduced_squared",
    "knn_kth_distance",
    "knn_mean_distance",
    "negative_log_likelihood",
)


def distances_of(
    baseline: Baseline, identities: npt.NDArray[np.int64], vectors: npt.NDArray[np.float64]
) -> pl.DataFrame:
    """The columns `DISTANCES`, one row per structure, in the order given.

    Parameters
    ----------
    identities
        Shape (n_structures,).
    vectors
        Embeddings by the same members. Shape (n_structures, n_features).

    Raises
    ------
    InvalidInputError
        The embeddings have another width, or are not finite.
    """
    import polars as pl

    if vectors.shape[1] != baseline.n_features:
        raise InvalidInputError(
            f"The embeddings have {vectors.shape[1]} features, the baseline "
            f"{baseline.origin.set} {baseline.n_features}. Expected those of the same models. "
            "Fit a baseline by these models."
        )
    check_finite(identities, vectors, "the sets")
    squares = baseline.components.coordinates(vectors) ** 2
    of_kept, ratios = squares[:, : baseline.n_kept], squares / baseline.components.variances
    kept = baseline.kept
    outside = vectors - kept.centre - kept.coordinates(vectors) @ kept.axes
    of_kept_ratios = ratios[:, : baseline.n_kept].sum(axis=1)
    nearest = nearest_distances(
        vectors, identities, baseline.vectors, baseline.identities, baseline.n_neighbours
    )
    columns = (
        np.sqrt(of_kept.sum(axis=1)),
        np.linalg.norm(outside, axis=1),
        np.sqrt(of_kept_ratios),
        of_kept_ratios,
        np.sqrt(ratios.sum(axis=1)),
        ratios.sum(axis=1),
        nearest[:, -1],
        nearest.mean(axis=1),
        baseline.mixture.negative_log_likelihood(vectors),
    )
    return pl.DataFrame(dict(zip(DISTANCES, columns, strict=True)))
