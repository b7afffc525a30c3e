"""Every score of `query ood` as its definition says, in float64 with numpy, scipy, scikit-learn.

Written from the definitions alone. Nothing here calls the query, and every function takes whole
arrays: latents of a structure of shape (n_members, n_atoms, n_features), embeddings of shape
(n_structures, n_features).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]


def atom_variances(latents: NDArray[np.generic]) -> Floats:
    """v_i: population variance over members, summed over features. Shape (n_atoms,)."""
    members = latents.astype(np.float64)
    return np.var(members, axis=0, ddof=0).sum(axis=1)


def embedding(latents: NDArray[np.generic]) -> Floats:
    """Mean over members and atoms. Shape (n_features,)."""
    return latents.astype(np.float64).mean(axis=(0, 1))


def variance_scores(latents: NDArray[np.generic], symbols: Sequence[str]) -> dict[str, float]:
    """Scores of one structure that need its latents alone, those by element included."""
    each = atom_variances(latents)
    kinds = np.asarray(symbols)
    return {
        "latent_variance_trace": each.mean(),
        "latent_variance_mean": each.mean() / latents.shape[2],
        "latent_variance_trace_max": each.max(),
        "latent_variance_trace_p95": np.percentile(each, 95),
        **{
            f"latent_variance_trace_{kind}": each[kinds == kind].mean() for kind in np.unique(kinds)
        },
    }


def energy_disagreement(energies: Floats, n_atoms: int) -> float:
    """Square root of the population variance of the energies, by atoms, eV/atom."""
    return float(np.sqrt(np.mean((energies - energies.mean()) ** 2)) / n_atoms)


def force_disagreement(forces: Floats) -> float:
    """Mean over atoms of the deviation of the vector; forces of shape (n_members, n_atoms, 3)."""
    away = np.linalg.norm(forces - forces.mean(axis=0), axis=2)
    return float(np.sqrt((away**2).mean(axis=0)).mean())


def principal_distances(
    fitted_on: Floats, asked: Floats, explained: float = 0.95
) -> dict[str, Floats]:
    """Distances from the centre along the components that explain enough, and beside them."""
    centre = fitted_on.mean(axis=0)
    covariance = np.cov(fitted_on, rowvar=False, ddof=1)
    variances, axes = np.linalg.eigh(covariance)
    variances, axes = variances[::-1], axes[:, ::-1]
    share = np.cumsum(variances) / variances.sum()
    kept = int(np.argmax(share >= explained)) + 1
    along = (asked - centre) @ axes[:, :kept]
    beside = (asked - centre) - along @ axes[:, :kept].T
    squared = (along**2 / variances[:kept]).sum(axis=1)
    return {
        "d_latent": np.linalg.norm(along, axis=1),
        "pca_residual": np.linalg.norm(beside, axis=1),
        "mahalanobis": np.sqrt(squared),
        "mahalanobis_squared": squared,
    }


def whole_mahalanobis_squared(fitted_on: Floats, asked: Floats) -> Floats:
    """(x - mean)' C^-1 (x - mean) along all components, C the sample covariance."""
    away = asked - fitted_on.mean(axis=0)
    inverse = np.linalg.inv(np.cov(fitted_on, rowvar=False, ddof=1))
    return np.einsum("ij,jk,ik->i", away, inverse, away)


def neighbour_distances(
    fitted_on: Floats, ids: Sequence[int], asked: Floats, asked_ids: Sequence[int], k: int = 5
) -> dict[str, Floats]:
    """Distance to the k-th nearest of the baseline and mean over the k nearest, itself left out."""
    between = cdist(asked, fitted_on)
    between[np.equal.outer(np.asarray(asked_ids), np.asarray(ids))] = np.inf
    nearest = np.sort(between, axis=1)[:, :k]
    return {"knn_kth_distance": nearest[:, -1], "knn_mean_distance": nearest.mean(axis=1)}


def negative_log_likelihood(
    fitted_on: Floats,
    asked: Floats,
    order: Sequence[int] | slice = slice(None),
    n_components: int = 16,
    n_gaussians: int = 5,
    seed: int = 0,
) -> Floats:
    """Standardise, then principal components, then Gaussians of full covariance; nats.

    Which Gaussians are found depends on the order of the rows they are fitted on.
    """
    n_components = min(n_components, *fitted_on.shape)
    model = make_pipeline(
        StandardScaler(),
        PCA(n_components, svd_solver="full"),
        GaussianMixture(n_gaussians, covariance_type="full", random_state=seed),
    )
    return -model.fit(fitted_on[order]).score_samples(asked)


def statistics(values: Floats) -> dict[str, float]:
    """Count, mean, sample deviation, and quantiles interpolated linearly."""
    low, high, higher, highest = np.quantile(values, [0.5, 0.9, 0.95, 0.99])
    return {
        "n_structures": len(values),
        "mean": values.mean(),
        "std": values.std(ddof=1),
        "q50": low,
        "q90": high,
        "q95": higher,
        "q99": highest,
    }


def ranking(scores: Floats, ids: Sequence[int]) -> list[int]:
    """Ids by score descending, ties by id ascending."""
    return [int(i) for _, i in sorted(zip(-scores, ids, strict=True))]
