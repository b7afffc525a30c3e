"""The sign-flip permutation test: paired differences, without a normal distribution.

If two treatments are alike, each difference could as well have had the other sign. The p-value is
the share of all choices of signs whose sum is as far from 0 as the one observed; see Good,
*Permutation, Parametric and Bootstrap Tests of Hypotheses* (2005), 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLIPS = 9_999
CHUNK = 1_000_000  # signs held at a time
_ROUNDING = 1e-12  # of the terms: sums in another order, or nearly 0, are equal to this


@dataclass(frozen=True)
class SignFlips:
    """The p-value of every test, from how many choices of signs, and whether those are all."""

    p_values: Floats
    permutations: int
    is_exact: bool


def sign_flip_tests(differences: Floats, rng_seed: int, flips: int = FLIPS) -> SignFlips:
    """Tests for differences that are not symmetric about 0, two-sided.

    Parameters
    ----------
    differences
        One column per test, one row per pair; NaN where a test lacks a pair. Shape (n, n_tests).
    rng_seed
        Seed of the random signs, which all tests share.
    flips
        Random choices of signs; where all choices are no more than these, all are taken instead.
    """
    n = len(differences)
    is_exact = 2**n <= flips + 1
    terms = np.nan_to_num(differences)  # a pair that is not there adds nothing, whatever its sign
    rounding = _ROUNDING * np.abs(terms).sum(axis=0)
    observed = np.abs(terms.sum(axis=0)) - rounding
    as_far = np.zeros(differences.shape[1], np.int64)
    for signs in _all_signs(n) if is_exact else _random_signs(n, rng_seed, flips):
        as_far += np.count_nonzero(np.abs(signs @ terms) >= observed, axis=0)
    # Of random choices the observed one is one more, so that no p-value is 0.
    p_values = as_far / 2**n if is_exact else (as_far + 1) / (flips + 1)
    p_values[np.isnan(differences).all(axis=0)] = np.nan
    return SignFlips(p_values, 2**n if is_exact else flips, is_exact)


def _all_signs(n: int) -> Iterator[Floats]:
    yield _signs((np.arange(2**n)[:, np.newaxis] >> np.arange(n)) & 1)


def _random_signs(n: int, rng_seed: int, flips: int) -> Iterator[Floats]:
    random = np.random.default_rng(rng_seed)
    left = flips
    while left:
        rows = min(left, max(1, CHUNK // n))
        yield _signs(random.integers(0, 2, (rows, n), dtype=np.int8))
        left -= rows


def _signs(bits: NDArray[np.integer[Any]]) -> Floats:
    """1 for a bit of 0, -1 for a bit of 1."""
    return 1.0 - 2.0 * bits.astype(np.float64)
