"""Alignment of the members of an ensemble, beside plain least squares."""

from __future__ import annotations

import numpy as np
import pytest
from aligned_reference import aligned_variances, members
from numpy.typing import NDArray

from queries.ood.alignment import Alignment, Moments, align


def fit(latents: NDArray[np.float64]) -> Alignment | None:
    return align(Moments.of(np.concatenate(latents, axis=1)), len(latents))


def fitted(latents: NDArray[np.float64]) -> Alignment:
    found = fit(latents)
    assert found is not None
    return found


def test_moments_of_parts_are_those_of_the_whole() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(500, 6)) @ random.normal(size=(6, 6)) + 1e4  # far from zero
    parts = np.split(rows, [1, 2, 77, 400])
    found = sum((Moments.of(part) for part in parts[1:]), start=Moments.of(parts[0]))
    assert found.n_rows == 500
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.scatter / 500, np.cov(rows.T, bias=True), rtol=1e-9)


@pytest.mark.parametrize(("n_members", "n_features"), [(2, 1), (2, 5), (4, 8), (7, 3)])
def test_variances_are_those_of_least_squares(n_members: int, n_features: int) -> None:
    latents = members(n_members, 600, n_features, seed=n_features)
    known, new = latents[:, :400], latents[:, 400:]
    alignment = fitted(known)
    for atoms in (known, new):
        expected = aligned_variances(known, atoms)
        np.testing.assert_allclose(alignment.variances(atoms), expected, rtol=1e-8, atol=1e-12)


def test_a_linear_change_of_the_basis_of_a_member_changes_nothing() -> None:
    latents = members(4, 600, 8)
    changed = latents.copy()
    changed[2] = 50 * latents[2] @ np.random.default_rng(1).normal(size=(8, 8)) - 3
    assert np.var(changed, axis=0).mean() > 10 * np.var(latents, axis=0).mean()
    found = [fitted(each[:, :400]).variances(each) for each in (latents, changed)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-7)


def test_the_order_of_members_and_atoms_changes_nothing() -> None:
    latents = members(4, 400, 5)
    others = latents[[2, 0, 3, 1]][:, ::-1]
    found = [fitted(each).variances(each) for each in (latents, others)]
    np.testing.assert_allclose(found[1][::-1], found[0], rtol=1e-9)


def test_members_equal_but_for_their_basis_score_zero() -> None:
    latents = members(3, 400, 6, spread=0)
    alignment = fitted(latents[:, :200])
    assert np.abs(alignment.variances(latents)).max() < 1e-20
    assert np.var(latents, axis=0).min() > 1e-3


def test_what_is_not_linear_scores_higher_further_out() -> None:
    random = np.random.default_rng(2)
    size = np.repeat([1.0, 4.0], 300)
    shared = random.normal(size=(600, 4)) * size[:, None]
    bent = 0.05 * random.normal(size=(3, 1, 4)) * shared**2
    latents = (shared + bent) @ random.normal(size=(3, 4, 4))
    variances = fitted(latents[:, :300]).variances(latents)
    assert np.median(variances[300:]) > 20 * np.median(variances[:300])


def test_features_that_say_nothing_change_nothing() -> None:
    """Constant ones, ones that others give, and rounding of single precision."""
    latents = members(3, 400, 4)
    random = np.random.default_rng(3)
    constant = np.full((3, 400, 1), 7.0)
    rounding = 1e-7 * random.normal(size=(3, 400, 2))
    more = np.concatenate([latents, constant, latents[..., :1] + latents[..., 1:2], rounding], 2)
    found = [fitted(each) for each in (latents, more)]
    assert found[1].rank == 4
    np.testing.assert_allclose(
        found[1].variances(more), found[0].variances(latents), rtol=1e-4, atol=1e-9
    )


@pytest.mark.parametrize("n_members", [2, 5])
def test_components_that_members_do_not_share_are_left_out(n_members: int) -> None:
    shared = members(n_members, 2_000, 3)
    own = np.random.default_rng(4).normal(size=(n_members, 2_000, 2))
    latents = np.concatenate([shared, own], axis=2)
    alignment = fitted(latents)
    assert alignment.weights.shape == (n_members, 5, 3)
    expected = aligned_variances(shared, shared)
    # Chance correlations with what is no one else's move the components a little.
    assert alignment.variances(latents).mean() == pytest.approx(expected.mean(), rel=0.01)


def test_what_cannot_be_aligned_is_not() -> None:
    random = np.random.default_rng(5)
    latents = members(3, 400, 6)
    assert fit(latents[:, :13]) is None  # fewer than 2 · (6 + 1)
    assert fit(latents[:, :14]) is not None
    assert fit(latents[:, :1]) is None
    assert fit(np.ones((3, 400, 6))) is None
    assert fit(np.concatenate([latents[:2], np.ones((1, 400, 6))])) is None
    assert fit(random.normal(size=(3, 5_000, 6))) is None  # they share nothing


def test_enough_atoms_are_twenty_for_each_direction_and_the_constant() -> None:
    latents = members(3, 140, 6)
    assert fitted(latents).has_enough_atoms
    assert not fitted(latents[:, 1:]).has_enough_atoms
