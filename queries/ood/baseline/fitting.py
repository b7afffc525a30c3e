"""Fitting the models of a baseline, on its structures and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lake.errors import InvalidInputError
from lake.version import __version__
from queries.ood.baseline.components import Components, fit_components
from queries.ood.baseline.learning import check_learning, fit_gaussians, library_version
from queries.ood.baseline.mixture import Mixture, standard_scale
from queries.ood.baseline.models import Baseline, Origin, Settings

if TYPE_CHECKING:
    import numpy.typing as npt


def fit_baseline(
    identities: npt.NDArray[np.int64],
    vectors: npt.NDArray[np.float64],
    origin: Origin,
    settings: Settings | None = None,
) -> Baseline:
    """Fit all models of a baseline.

    Numbers that the baseline is too small for are lowered, which `caveats` tells: neighbours to
    all others, components of the density to what varies, Gaussians to the distinct structures.
    The same structures in another order give the same models.

    Parameters
    ----------
    identities
        Each structure once. Shape (n_structures,).
    vectors
        Their embeddings. Shape (n_structures, n_features).

    Raises
    ------
    InvalidInputError
        There are fewer than two different structures, a number is not finite, a setting makes no
        sense, or scikit-learn is not installed.
    """
    settings = settings or Settings()
    check_learning()
    _check_settings(settings)
    _check_vectors(identities, vectors, origin)
    # The Gaussians that are found depend on the order of the rows: on 500 frames of a molecule,
    # likelihoods differed by up to 49 nats. Ids do not depend on what was ingested first.
    order = np.argsort(identities)
    identities, vectors = identities[order], vectors[order]
    components = fit_components(vectors)
    if not len(components.variances):
        raise InvalidInputError(
            f"The {len(vectors)} structures of the baseline {origin.set} have one and the same "
            "embedding. Expected structures that differ, to measure distances by. Choose another "
            "baseline."
        )
    mixture, has_converged = _fit_mixture(vectors, settings)
    return Baseline(
        settings=settings,
        origin=origin,
        identities=identities,
        vectors=vectors,
        components=components,
        n_kept=components.count_explaining(settings.explained),
        n_neighbours=min(settings.n_neighbours, len(vectors) - 1),
        mixture=mixture,
        has_converged=has_converged,
        libraries={
            "atomlake": __version__,
            "numpy": np.__version__,
            "scikit-learn": library_version(),
        },
    )


def caveats(baseline: Baseline) -> tuple[str, ...]:
    """What whoever reads the distances must know of the baseline: sentences."""
    settings, n = baseline.settings, len(baseline.vectors)
    name = f"The baseline {baseline.origin.set} has {n:,} structures"
    said = []
    if n <= baseline.n_features:
        said.append(
            f"{name} and their embeddings {baseline.n_features} features: mahalanobis_unreduced "
            f"sees {len(baseline.components.variances)} directions, and nothing in the others."
        )
    n_gaussians, n_components = baseline.mixture.means.shape
    if n_gaussians < settings.n_gaussians or n_components < settings.n_components_of_density:
        said.append(
            f"{name}, so its density is of {n_gaussians} Gaussians over {n_components} components, "
            f"not {settings.n_gaussians} over {settings.n_components_of_density}."
        )
    if n < n_gaussians * (n_components + 1):
        said.append(
            f"{name}, fewer than {n_gaussians * (n_components + 1)}, which {n_gaussians} full "
            f"covariances of {n_components} components need: negative_log_likelihood says little."
        )
    if baseline.n_neighbours < settings.n_neighbours:
        said.append(
            f"{name}: distances are to the {baseline.n_neighbours} nearest, not the "
            f"{settings.n_neighbours}."
        )
    if not baseline.has_converged:
        said.append("The Gaussian mixture did not converge: negative_log_likelihood is uncertain.")
    n_alike = n - len(np.unique(baseline.vectors, axis=0))
    if n_alike:
        said.append(
            f"{n_alike:,} structures of the baseline {baseline.origin.set} have the embedding of "
            "another one. They are different structures, so they are neighbours at distance 0."
        )
    return tuple(said)


def _fit_mixture(vectors: npt.NDArray[np.float64], settings: Settings) -> tuple[Mixture, bool]:
    mean, scale = vectors.mean(axis=0), standard_scale(vectors)
    standard = (vectors - mean) / scale
    components: Components = fit_components(standard).first(settings.n_components_of_density)
    points = components.coordinates(standard)
    n_gaussians = min(settings.n_gaussians, len(np.unique(vectors, axis=0)))
    found = fit_gaussians(points, n_gaussians, settings.seed)
    mixture = Mixture(mean, scale, components, found.weights, found.means, found.covariances)
    return mixture, found.has_converged


def _check_settings(settings: Settings) -> None:
    if not 0 < settings.explained <= 1:
        raise InvalidInputError(
            f"explained is {settings.explained}. Expected a share of the variance above 0, at most "
            "1, such as 0.95."
        )
    if not 0 <= settings.share_uncertain <= 1:
        raise InvalidInputError(
            f"share_uncertain is {settings.share_uncertain}. Expected a share of the structures, "
            "from 0 to 1, such as 0.1."
        )
    if settings.seed < 0:
        raise InvalidInputError(f"seed is {settings.seed}. Expected at least 0.")
    counts = {name: value for name, value in vars(settings).items() if name.startswith("n_")}
    for name, value in counts.items():
        if value < 1:
            raise InvalidInputError(f"{name} is {value}. Expected at least 1.")


def _check_vectors(
    identities: npt.NDArray[np.int64], vectors: npt.NDArray[np.float64], origin: Origin
) -> None:
    if len(vectors) < 2:
        raise InvalidInputError(
            f"The baseline {origin.set} has {len(vectors)} structures. Expected at least two, to "
            "measure distances by. Choose a larger set."
        )
    if len(np.unique(identities)) < len(identities):
        raise InvalidInputError(
            f"The baseline {origin.set} names a structure twice. Expected each once."
        )
    check_finite(identities, vectors, f"the baseline {origin.set}")


def check_finite(
    identities: npt.NDArray[np.int64], vectors: npt.NDArray[np.float64], where: str
) -> None:
    """Refuse embeddings that are no numbers.

    Raises
    ------
    InvalidInputError
        One is NaN or infinite.
    """
    wrong = ~np.isfinite(vectors).all(axis=1)
    if wrong.any():
        names = ", ".join(map(str, identities[wrong][:5]))
        raise InvalidInputError(
            f"{wrong.sum()} structures of {where} have latents that are not finite: {names}"
            f"{' and more' if wrong.sum() > 5 else ''}. Expected numbers. Drop their latents and "
            "compute them again, or leave the structures out."
        )
