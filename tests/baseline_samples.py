"""Embeddings as those of a network, and a baseline fitted on them."""

from __future__ import annotations

import numpy as np
import pytest

from queries.ood.baseline import fit_baseline
from queries.ood.baseline.models import Origin

ORIGIN = Origin("T1", "llzo", None, ("a" * 64, "b" * 64), "last", '{"layer":"last"}', "lake", 7)
N, N_FEATURES = 400, 32


def vectors(n: int = N, n_features: int = N_FEATURES, seed: int = 0, shift: float = 0.0):
    """Embeddings as those of a network: correlated, of several clumps, far from zero."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(n_features, n_features))
    mixing *= 0.8 ** np.arange(n_features)[:, None]
    clumps = np.random.default_rng(98).normal(size=(4, n_features)) * 2
    drawn = random.normal(size=(n, n_features)) + clumps[random.integers(0, 4, n)]
    return 5 + shift + drawn @ mixing


@pytest.fixture(scope="module")
def fitted_baseline():
    """Modules name this fixture `baseline`."""
    return fit_baseline(np.arange(N), vectors(), ORIGIN)
