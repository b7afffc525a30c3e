"""Where structures lie on the maps, beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from ood_map_samples import Sample, embeddings, measured
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from queries.ood.baseline import Settings

SAMPLE = Sample(n={"T1": 80, "T2": 40}, n_top=6)
SEED = 3


@pytest.fixture(scope="module")
def found():
    return measured(SAMPLE, Settings(seed=SEED))[1]


def test_principal_components_are_those_of_the_baseline(found):
    _, vectors = embeddings(SAMPLE)
    expected = PCA(2).fit(vectors[:80]).transform(vectors)
    ours = found.map.select("pca_1", "pca_2").to_numpy()
    np.testing.assert_allclose(np.abs(ours), np.abs(expected), rtol=1e-6, atol=1e-9)


def test_those_of_the_density_are_of_standardised_features(found):
    _, vectors = embeddings(SAMPLE)
    expected = make_pipeline(StandardScaler(), PCA(2)).fit(vectors[:80]).transform(vectors)
    ours = found.map.select("density_1", "density_2").to_numpy()
    np.testing.assert_allclose(np.abs(ours), np.abs(expected), rtol=1e-6, atol=1e-9)


def test_neighbours_are_found_along_the_components_kept_with_the_seed_of_the_settings(found):
    _, vectors = embeddings(SAMPLE)
    points = found.baseline.kept.coordinates(vectors)
    assert points.shape[1] < vectors.shape[1]
    with threadpool_limits(1):
        expected = TSNE(2, perplexity=30, init="pca", random_state=SEED).fit_transform(points)
    np.testing.assert_allclose(found.map.select("t_sne_1", "t_sne_2").to_numpy(), expected)
