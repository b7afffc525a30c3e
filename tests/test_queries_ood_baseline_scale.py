"""Baselines of any size and place: what is rounding, and what is small but real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from baseline_samples import N_FEATURES, ORIGIN, N, vectors
from ood_map_samples import Sample, answer, embeddings
from scipy.spatial.distance import cdist
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from lake.errors import InvalidInputError
from queries.ood.baseline import Settings, fit_baseline
from queries.ood.baseline.clusters import cluster_structures
from queries.ood.baseline.distances import distances_of
from queries.ood.baseline.fitting import caveats
from queries.ood.baseline.learning import t_sne
from queries.ood.baseline.neighbours import nearest_distances

OTHERS = np.arange(1000, 1150)


@pytest.mark.parametrize(("scale", "shift"), [(1e-4, 5.0), (1e6, 0.0), (1e-9, 0.0)])
def test_distances_go_with_the_size_of_latents_and_shares_do_not(
    scale: float, shift: float
) -> None:
    """Latents that hardly vary are not taken for rounding: 1e-4 is a thousand times that."""
    known, asked = vectors() - 5, vectors(150, seed=1, shift=0.3) - 5
    one = distances_of(fit_baseline(np.arange(N), known, ORIGIN), OTHERS, asked)
    fitted = fit_baseline(np.arange(N), shift + scale * known, ORIGIN)
    other = distances_of(fitted, OTHERS, shift + scale * asked)
    for name in ("d_latent", "pca_residual", "knn_kth_distance", "knn_mean_distance"):
        np.testing.assert_allclose(other[name], scale * one[name], rtol=1e-6, err_msg=name)
    for name in ("mahalanobis", "mahalanobis_unreduced", "negative_log_likelihood"):
        np.testing.assert_allclose(other[name], one[name], rtol=1e-5, err_msg=name)


def test_a_baseline_that_varies_by_rounding_alone_is_refused() -> None:
    steady = 1000 / 3 + np.random.default_rng(0).normal(size=(50, 4)) * 1e-13
    assert len(np.unique(steady, axis=0)) > 1
    with pytest.raises(InvalidInputError, match="one and the same embedding"):
        fit_baseline(np.arange(50), steady, ORIGIN)


def test_axes_point_where_their_greatest_entry_is_positive() -> None:
    """Else the map of a set would be mirrored by the version of a library."""
    axes = fit_baseline(np.arange(N), vectors(), ORIGIN).components.axes
    greatest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    assert axes.shape == (N_FEATURES, N_FEATURES)
    assert (greatest > 0).all()
    mirrored = fit_baseline(np.arange(N), -vectors(), ORIGIN).components.axes
    np.testing.assert_allclose(mirrored, axes, atol=1e-9)


def test_neighbours_that_differ_by_the_last_digits_of_float32_are_told_apart() -> None:
    """The search by products of matrices orders them wrongly; their distances are taken anew."""
    random = np.random.default_rng(0)
    side = np.where(np.arange(600) % 2, 1.0, -1.0)[:, None]
    known = side + 1e-7 * random.normal(size=(600, 8))
    asked = side[:300] + 1e-7 * random.normal(size=(300, 8))
    found = nearest_distances(asked, np.arange(1000, 1300), known, np.arange(600), 3)
    np.testing.assert_allclose(found, np.sort(cdist(asked, known), axis=1)[:, :3], rtol=1e-6)


def test_what_is_measured_in_parts_is_as_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked = vectors(), vectors(150, seed=1)
    whole = nearest_distances(asked, OTHERS, known, np.arange(N), 5)
    monkeypatch.setattr("queries.ood.baseline.neighbours.ROWS_AT_ONCE", 7)
    parts = nearest_distances(asked, OTHERS, known, np.arange(N), 5)
    np.testing.assert_allclose(parts, whole, rtol=1e-9)


def test_another_seed_begins_elsewhere() -> None:
    """The seed that is recorded is the one that is used."""
    first, second, again = (
        fit_baseline(np.arange(N), vectors(), ORIGIN, Settings(seed=seed)).mixture.means
        for seed in (0, 5, 5)
    )
    assert not np.allclose(first, second, rtol=1e-3)
    np.testing.assert_array_equal(second, again)


def test_gaussians_are_as_many_as_there_are_different_structures() -> None:
    two = np.repeat(vectors(2), 10, axis=0)
    fitted = fit_baseline(np.arange(20), two, ORIGIN)
    assert len(fitted.mixture.weights) == 2
    assert "so its density is of 2 Gaussians over 1 components" in " ".join(caveats(fitted))
    found = distances_of(fitted, OTHERS, vectors(150, seed=1))
    assert np.isfinite(found.to_numpy()).all()


@pytest.mark.parametrize(("n", "is_said"), [(84, True), (85, False)])
def test_five_covariances_of_sixteen_components_need_85_structures(n: int, is_said: bool) -> None:
    fitted = fit_baseline(np.arange(n), vectors(n), ORIGIN)
    assert ("negative_log_likelihood says little" in " ".join(caveats(fitted))) is is_said


@pytest.mark.parametrize(("n", "n_clustered"), [(200, 50), (700, 70)])
def test_clusters_are_of_a_tenth_of_the_candidates_and_fifty_at_least(
    n: int, n_clustered: int
) -> None:
    """Structures of the baseline alone are no candidates, and do not count."""
    sample = Sample(n={"T1": 900, "T2": n})
    made = answer(sample)
    rank = pl.when(pl.col("set") == "T2").then(pl.col("rank").rank().over("set").cast(pl.Int64))
    scores = made.scores.with_columns(rank.alias("rank"))
    found = cluster_structures(replace(made, scores=scores), embeddings(sample)[1], Settings())
    clustered = scores.filter(found.is_not_null())["rank"].sort().to_list()
    assert clustered == list(range(1, n_clustered + 1))


def test_the_map_of_neighbours_is_that_of_scikit_learn() -> None:
    for n, perplexity in ((120, 30.0), (31, 10.0)):
        points = vectors(n)
        model = TSNE(2, perplexity=perplexity, init="pca", random_state=4)
        with threadpool_limits(1):
            expected = model.fit_transform(points)
        np.testing.assert_array_equal(t_sne(points, 4), expected)


def test_the_defaults_are_those_of_the_how_to() -> None:
    assert vars(Settings()) == {
        "explained": 0.95,
        "n_neighbours": 5,
        "n_components_of_density": 16,
        "n_gaussians": 5,
        "n_clusters": 5,
        "share_uncertain": 0.1,
        "n_uncertain": 50,
        "n_uncertain_atoms": 1000,
        "n_on_map": 3000,
        "seed": 0,
    }
