"""The only door to scikit-learn: what is fitted by trial, each with a seed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lake.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_STEPS = 500
STARTS_OF_K_MEANS = 10
PERPLEXITY = 30.0


@dataclass(frozen=True)
class Gaussians:
    """What expectation maximisation found: see `queries.ood.baseline.mixture.Mixture`."""

    weights: npt.NDArray[np.float64]
    means: npt.NDArray[np.float64]
    covariances: npt.NDArray[np.float64]
    has_converged: bool


def check_learning() -> None:
    """Refuse to fit where there is nothing to fit with.

    Raises
    ------
    InvalidInputError
        scikit-learn is not installed.
    """
    library_version()


def library_version() -> str:
    """The version of scikit-learn.

    Raises
    ------
    InvalidInputError
        It is not installed.
    """
    try:
        import sklearn
    except ImportError:
        raise InvalidInputError(
            "scikit-learn is not installed. Expected it, to fit the models of a baseline. "
            "Install it with: pip install 'atomlake[ood]', or ask without a baseline."
        ) from None
    return str(sklearn.__version__)


def fit_gaussians(points: npt.NDArray[np.float64], n_gaussians: int, seed: int) -> Gaussians:
    """Fit a Gaussian mixture of full covariances, begun once, from k-means.

    Parameters
    ----------
    points
        Shape (n_points, n_dimensions); at least `n_gaussians` of them.
    """
    check_learning()
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        n_gaussians, covariance_type="full", max_iter=MOST_STEPS, random_state=seed
    )
    with _steadily():
        model.fit(points)
    return Gaussians(model.weights_, model.means_, model.covariances_, bool(model.converged_))


def k_means(points: npt.NDArray[np.float64], n_clusters: int, seed: int) -> npt.NDArray[np.int64]:
    """The cluster of each point, from 0: the best of ten k-means. Shape (n_points,)."""
    check_learning()
    from sklearn.cluster import KMeans

    model = KMeans(n_clusters, n_init=STARTS_OF_K_MEANS, random_state=seed)
    with _steadily():
        return np.asarray(model.fit_predict(points), np.int64)


def t_sne(points: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    """Points in two dimensions, neighbours beside each other. Shape (n_points, 2).

    Distances and directions in such a map mean nothing; what lies together does. Perplexity is 30,
    and a third of the points where there are few.
    """
    check_learning()
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    with _steadily():
        placed = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    return np.asarray(placed, np.float64)


@contextmanager
def _steadily() -> Iterator[None]:
    """In one thread, without warnings of convergence and equal points, which we tell ourselves.

    One thread sums in one order, so the same seed gives the same numbers. More of them spin while
    they wait for each other: where the cores are busy, t-SNE of 900 points took 59 s instead of 9.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
