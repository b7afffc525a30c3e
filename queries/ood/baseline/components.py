"""Principal components of a set of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

# Latents are kept in single precision. Spread below this share of the widest is their rounding, and
# dividing by it would make rounding the greatest distance of all.
LEAST_SPREAD = 1e-5


@dataclass(frozen=True)
class Components:
    """Directions of greatest variance, the widest first.

    Attributes
    ----------
    centre
        Mean of the vectors. Shape (n_features,).
    axes
        Unit vectors. Shape (n_components, n_features).
    variances
        Sample variance (over n - 1) along each axis. Shape (n_components,).
    total_variance
        Summed over all directions, those left out included.
    """

    centre: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64]
    variances: npt.NDArray[np.float64]
    total_variance: float

    @property
    def explained(self) -> float:
        """The share of the variance that lies along the axes."""
        return float(self.variances.sum() / self.total_variance)

    def coordinates(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Vectors along the axes, from the centre. Shape (n_vectors, n_components)."""
        return (vectors - self.centre) @ self.axes.T

    def first(self, n_components: int) -> Components:
        """The widest of the components alone."""
        return Components(
            self.centre,
            self.axes[:n_components],
            self.variances[:n_components],
            self.total_variance,
        )

    def count_explaining(self, share: float) -> int:
        """The least number of components that explain a share of the variance.

        It is all of them where rounding left out keeps them from it.
        """
        reached = np.cumsum(self.variances) / self.total_variance
        return min(int(np.searchsorted(reached, share)) + 1, len(self.variances))


def fit_components(vectors: npt.NDArray[np.float64]) -> Components:
    """All components of vectors whose spread is more than rounding; none where all are alike.

    Each axis has its greatest entry positive, so the same vectors give the same axes.

    Parameters
    ----------
    vectors
        Shape (n_vectors, n_features), at least two.
    """
    centre = vectors.mean(axis=0)
    _, spreads, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    rounding = 10 * np.finfo(np.float64).eps * np.abs(centre).max() * np.sqrt(vectors.size)
    is_real = spreads > max(LEAST_SPREAD * spreads[0], rounding)
    axes = axes[is_real]
    greatest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    variances = spreads**2 / (len(vectors) - 1)
    return Components(centre, axes * np.sign(greatest), variances[is_real], float(variances.sum()))
