"""Alignment of members without sums, scalar products of features or whitening: by plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def aligned_variances(fitted_on: Array, latents: Array) -> Array:
    """Variance over members after least squares onto the consensus of what was fitted on.

    Parameters
    ----------
    fitted_on, latents
        Shape (n_members, n_atoms, n_features); of full rank, and all components shared.
    """
    n_atoms, n_features = fitted_on.shape[1:]
    # The consensus is what the spaces spanned by the latents of the members have most in common.
    shared = np.zeros((n_atoms, n_atoms))
    for each in fitted_on:
        basis, _ = np.linalg.qr(each - each.mean(axis=0))
        shared += basis @ basis.T
    vectors = np.linalg.eigh(shared)[1][:, -n_features:]
    consensus = vectors * np.sqrt(n_atoms)
    aligned = [
        with_one(new) @ np.linalg.lstsq(with_one(old), consensus, rcond=None)[0]
        for old, new in zip(fitted_on, latents, strict=True)
    ]
    return np.var(aligned, axis=0).mean(axis=1)


def with_one(rows: Array) -> Array:
    """The rows, with a column for the constant."""
    return np.column_stack([rows, np.ones(len(rows))])


def members(
    n_members: int, n_atoms: int, n_features: int, *, spread: float = 0.05, seed: int = 0
) -> Array:
    """Latents that share what is linear, each in a basis of its own. Shape as above."""
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n_atoms, n_features))
    bases = random.normal(size=(n_members, n_features, n_features))
    own = spread * random.normal(size=(n_members, n_atoms, n_features))
    return (shared + own) @ bases + 10 * random.normal(size=(n_members, 1, n_features))
