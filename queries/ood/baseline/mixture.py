"""The density of a baseline: a Gaussian mixture over a few components of standardised features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from queries.ood.baseline.components import Components

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True)
class Mixture:
    """Gaussians in the space of the components of standardised features.

    Attributes
    ----------
    scale
        Population standard deviation of each feature, 1 where it does not vary. Features are
        divided by it after the mean (the centre of the baseline) was taken off.
    mean
        Taken off each feature. Shape (n_features,).
    components
        Of the standardised features; at most 16.
    weights
        Shape (n_gaussians,), sum 1.
    means
        Shape (n_gaussians, n_components).
    covariances
        Shape (n_gaussians, n_components, n_components).
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    components: Components
    weights: npt.NDArray[np.float64]
    means: npt.NDArray[np.float64]
    covariances: npt.NDArray[np.float64]

    def coordinates(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Vectors in the space of the mixture. Shape (n_vectors, n_components)."""
        return self.components.coordinates((vectors - self.mean) / self.scale)

    def negative_log_likelihood(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Minus the logarithm of the density at each vector, in nats; the greater, the rarer."""
        return -log_density(self.coordinates(vectors), self.weights, self.means, self.covariances)


def standard_scale(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The population standard deviation of each feature; 1 where it is rounding alone.

    Latents are kept in single precision: a feature that varies less than that is constant, and to
    divide by its deviation would make noise as wide as everything else.
    """
    spread = vectors.std(axis=0)
    rounding = 10 * np.finfo(np.float32).eps * np.abs(vectors).max(axis=0)
    return np.where(spread > rounding, spread, 1.0)


def log_density(
    points: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    means: npt.NDArray[np.float64],
    covariances: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The logarithm of the density of a Gaussian mixture. Shape (n_points,).

    Parameters
    ----------
    points
        Shape (n_points, n_dimensions).
    """
    from scipy.linalg import solve_triangular
    from scipy.special import logsumexp

    terms = []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        root = np.linalg.cholesky(covariance)
        whitened = solve_triangular(root, (points - mean).T, lower=True)
        volume = np.log(np.diag(root)).sum() + 0.5 * len(mean) * np.log(2 * np.pi)
        terms.append(np.log(weight) - volume - 0.5 * (whitened**2).sum(axis=0))
    density: npt.NDArray[np.float64] = logsumexp(np.stack(terms), axis=0)
    return density
