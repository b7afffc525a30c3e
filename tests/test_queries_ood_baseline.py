"""The models of a baseline against scikit-learn, scipy and their formulas."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from baseline_samples import N_FEATURES, ORIGIN, N, fitted_baseline, vectors
from scipy.spatial.distance import cdist, mahalanobis
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lake.errors import InvalidInputError
from queries.ood.baseline import DISTANCES, Settings, fit_baseline, read_baseline, write_baseline
from queries.ood.baseline.clusters import number_clusters
from queries.ood.baseline.components import fit_components
from queries.ood.baseline.distances import distances_of
from queries.ood.baseline.fitting import caveats
from queries.ood.baseline.neighbours import nearest_distances

baseline = fitted_baseline


@pytest.fixture(scope="module")
def others():
    return vectors(150, seed=1, shift=0.3)


@pytest.fixture(scope="module")
def measured(baseline, others):
    return distances_of(baseline, np.arange(1000, 1150), others)


def test_the_columns_are_those_that_are_promised(measured):
    assert tuple(measured.columns) == DISTANCES
    assert measured.null_count().sum_horizontal().item() == 0


def test_components_are_those_of_scikit_learn(baseline, others):
    theirs = PCA(0.95).fit(vectors())
    assert baseline.n_kept == theirs.n_components_ < N_FEATURES
    np.testing.assert_allclose(baseline.kept.variances, theirs.explained_variance_, rtol=1e-9)
    ours = baseline.kept.coordinates(others)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs.transform(others)), atol=1e-8)
    assert baseline.kept.explained == pytest.approx(theirs.explained_variance_ratio_.sum())


def test_d_latent_and_residual_by_their_formulas(measured, baseline, others):
    pca = PCA(0.95).fit(vectors())
    centre = pca.transform(vectors()).mean(axis=0)
    expected = np.linalg.norm(pca.transform(others) - centre, axis=1)
    np.testing.assert_allclose(measured["d_latent"], expected, rtol=1e-9)
    back = pca.inverse_transform(pca.transform(others))
    np.testing.assert_allclose(
        measured["pca_residual"], np.linalg.norm(others - back, axis=1), rtol=1e-8
    )


def test_mahalanobis_is_that_of_scipy(measured, others):
    pca = PCA(0.95).fit(vectors())
    inverse = np.linalg.inv(np.cov(pca.transform(vectors()).T))
    origin = np.zeros(pca.n_components_)
    expected = [mahalanobis(point, origin, inverse) for point in pca.transform(others)]
    np.testing.assert_allclose(measured["mahalanobis"], expected, rtol=1e-9)
    np.testing.assert_allclose(measured["mahalanobis_squared"], np.square(expected), rtol=1e-9)
    whole = np.linalg.inv(np.cov(vectors().T))
    mean = vectors().mean(axis=0)
    unreduced = [mahalanobis(point, mean, whole) for point in others]
    np.testing.assert_allclose(measured["mahalanobis_unreduced"], unreduced, rtol=1e-6)
    np.testing.assert_allclose(
        measured["mahalanobis_unreduced_squared"], np.square(unreduced), rtol=1e-6
    )


def test_neighbours_are_those_of_scikit_learn(measured, others):
    near, _ = NearestNeighbors(n_neighbors=5).fit(vectors()).kneighbors(others)
    np.testing.assert_allclose(measured["knn_kth_distance"], near[:, -1], rtol=1e-9)
    np.testing.assert_allclose(measured["knn_mean_distance"], near.mean(axis=1), rtol=1e-9)


def test_the_density_is_that_of_scikit_learn(measured, others):
    model = make_pipeline(StandardScaler(), PCA(16), GaussianMixture(5, random_state=0))
    model.fit(vectors())
    # Both begin from the same seed, and the components differ by sign at most.
    np.testing.assert_allclose(
        measured["negative_log_likelihood"], -model.score_samples(others), rtol=1e-6
    )


def test_the_density_by_its_formula(measured, baseline, others):
    mixture = baseline.mixture
    points = mixture.coordinates(others)
    density = sum(
        weight * multivariate_normal(mean, covariance).pdf(points)
        for weight, mean, covariance in zip(
            mixture.weights, mixture.means, mixture.covariances, strict=True
        )
    )
    np.testing.assert_allclose(measured["negative_log_likelihood"], -np.log(density), rtol=1e-9)


def test_no_structure_is_its_own_neighbour(baseline):
    """Scoring the baseline itself: by identity, so a twin of another name is a neighbour."""
    near, _ = NearestNeighbors(n_neighbors=6).fit(vectors()).kneighbors(vectors())
    found = distances_of(baseline, baseline.identities, baseline.vectors)
    np.testing.assert_allclose(found["knn_kth_distance"], near[:, 5], rtol=1e-9)
    np.testing.assert_allclose(found["knn_mean_distance"], near[:, 1:].mean(axis=1), rtol=1e-9)
    assert found["knn_kth_distance"].min() > 0


def test_twins_are_neighbours_at_distance_zero_and_told():
    twice = np.concatenate([vectors(50), vectors(50)[:3]])
    fitted = fit_baseline(np.arange(53), twice, ORIGIN, Settings(n_neighbours=1))
    found = distances_of(fitted, fitted.identities, fitted.vectors)["knn_kth_distance"].to_numpy()
    assert (found[[0, 1, 2, 50, 51, 52]] == 0).all()
    assert (found[3:50] > 0).all()
    assert any(
        "3 structures of the baseline T1 have the embedding of" in s for s in caveats(fitted)
    )


def test_the_identity_counts_and_not_the_row():
    known = np.array([[0.0], [1.0], [5.0]])
    asked = np.array([[0.0], [0.0]])
    found = nearest_distances(asked, np.array([10, 99]), known, np.array([10, 11, 12]), 2)
    np.testing.assert_array_equal(found, [[1.0, 5.0], [0.0, 1.0]])


def test_small_distances_of_long_vectors_are_exact():
    known = 1e6 + np.random.default_rng(0).normal(size=(3000, 8)) * 1e-3
    asked = known[:2000] + 1e-6
    found = nearest_distances(asked, np.arange(5000, 7000), known, np.arange(3000), 3)
    expected = np.sort(cdist(asked, known), axis=1)[:, :3]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_singular_covariance_leaves_out_what_does_not_vary():
    """Fewer structures than features: the pseudo-inverse of scipy's own distance says the same."""
    few = vectors(12)
    fitted = fit_baseline(np.arange(12), few, ORIGIN)
    asked = vectors(20, seed=3)
    found = distances_of(fitted, np.arange(100, 120), asked)
    inverse = np.linalg.pinv(np.cov(few.T), rcond=1e-12, hermitian=True)
    expected = [mahalanobis(point, few.mean(axis=0), inverse) for point in asked]
    np.testing.assert_allclose(found["mahalanobis_unreduced"], expected, rtol=1e-6)
    told = " ".join(caveats(fitted))
    assert "sees 11 directions" in told
    assert "says little" in told


def test_rounding_is_no_direction():
    """A feature that varies by less than single precision must not become the greatest distance."""
    steady = vectors(100)
    steady[:, 3] = 7 + np.random.default_rng(0).normal(size=100) * 1e-7
    fitted = fit_baseline(np.arange(100), steady, ORIGIN)
    assert len(fitted.components.variances) == N_FEATURES - 1
    asked = steady.copy()
    asked[:, 3] += 1e-5
    near = distances_of(fitted, np.arange(100), asked)
    same = distances_of(fitted, np.arange(100), steady)
    for name in ("mahalanobis_unreduced", "negative_log_likelihood"):
        np.testing.assert_allclose(near[name], same[name], rtol=1e-3)


def test_only_the_baseline_is_fitted_on(baseline, others):
    """What is measured beside a structure does not change its distances."""
    alone = distances_of(baseline, np.array([1000]), others[:1])
    among = distances_of(baseline, np.arange(1000, 1150), others)
    np.testing.assert_allclose(alone.to_numpy()[0], among.to_numpy()[0], rtol=1e-9)


def test_the_same_seed_gives_the_same_models(baseline):
    again = fit_baseline(np.arange(N), vectors(), ORIGIN)
    np.testing.assert_array_equal(again.mixture.means, baseline.mixture.means)
    other = fit_baseline(np.arange(N), vectors(), ORIGIN, Settings(seed=5))
    assert other.settings.seed == 5


def test_a_baseline_that_is_kept_measures_alike(baseline, others, measured, tmp_path: Path):
    path = write_baseline(baseline, tmp_path / "baseline.npz")
    again = read_baseline(path)
    assert again.settings == baseline.settings
    assert again.origin == ORIGIN
    assert again.libraries == baseline.libraries
    assert set(again.libraries) == {"atomlake", "numpy", "scikit-learn"}
    found = distances_of(again, np.arange(1000, 1150), others)
    assert found.equals(measured)
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_a_share_of_one_keeps_all_components():
    fitted = fit_baseline(np.arange(N), vectors(), ORIGIN, Settings(explained=1.0))
    assert fitted.n_kept == N_FEATURES
    line = np.outer(np.arange(5.0), np.ones(4))
    assert fit_components(line).count_explaining(0.95) == 1
    assert fit_components(line).axes[0] == pytest.approx([0.5] * 4)


def test_clusters_are_numbered_by_the_most_uncertain():
    random = np.random.default_rng(0)
    centres = np.array([[0, 0], [9, 0], [0, 9], [9, 9], [20, 20]])
    which = np.array([3, 3, 1, 0, 4, 2, *random.integers(0, 5, 60)])
    points = centres[which] + random.normal(size=(66, 2)) * 0.1
    found = number_clusters(points, Settings())
    expected = {3: 1, 1: 2, 0: 3, 4: 4, 2: 5}
    assert found.tolist() == [expected[each] for each in which]
    assert number_clusters(points[:0], Settings()).tolist() == []
    assert number_clusters(np.array([[1.0, 1], [1, 1], [2, 2]]), Settings()).tolist() == [1, 1, 2]


def test_the_baseline_is_immutable(baseline):
    with pytest.raises(dataclasses.FrozenInstanceError):
        baseline.n_kept = 3


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch, baseline, others):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(InvalidInputError, match=r"atomlake\[ood\]"):
        fit_baseline(np.arange(N), vectors(), ORIGIN)
    # To apply what was fitted takes no more than numpy and scipy.
    assert len(distances_of(baseline, np.arange(1000, 1150), others)) == 150
