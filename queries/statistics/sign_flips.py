"""The sign-flip permutation test: paired differences, without a normal distribution.

If two treatments are alike, each difference could as well have had the other sign. The p-value is
the share of all choices of signs whose mean is as far from 0 as the one observed; see Good,
*Permutation, Parametric and Bootstrap Tests of Hypotheses* (2005), 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLIPS = 9_999
CHUNK = 1_000_000  # signs held at a time
_ROUNDING = 1e-12  # sums of the same terms in another order are equal to this


@dataclass(frozen=True)
class SignFlips:
    """The p-value, from how many choices of signs, and whether those are all there are."""

    p_value: float
    permutations: int
    is_exact: bool


def sign_flip_test(differences: Floats, rng_seed: int, flips: int = FLIPS) -> SignFlips:
    """Test for differences that are not symmetric about 0, two-sided.

    Parameters
    ----------
    differences
        One per pair. Shape (n,), without NaN.
    rng_seed
        Seed of the random signs.
    flips
        Random choices of signs; where all choices are no more than these, all are taken instead.
    """
    n = len(differences)
    if not n:
        return SignFlips(np.nan, 0, True)
    observed = abs(differences.sum()) * (1 - _ROUNDING)
    if 2**n <= flips + 1:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, np.newaxis] >> np.arange(n)) & 1)
        return SignFlips(float(np.mean(np.abs(signs @ differences) >= observed)), 2**n, True)
    random = np.random.default_rng(rng_seed)
    as_far, left = 0, flips
    while left:
        rows = min(left, max(1, CHUNK // n))
        signs = 1.0 - 2.0 * random.integers(0, 2, (rows, n), dtype=np.int8)
        as_far += int(np.count_nonzero(np.abs(signs @ differences) >= observed))
        left -= rows
    # The observed signs are one choice too, so that no p-value is 0.
    return SignFlips((as_far + 1) / (flips + 1), flips, False)
