"""How large a difference is, in units of its own spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SAMPLES = 2_000
LEVEL = 0.95
CHUNK = 1_000_000  # numbers drawn at a time


@dataclass(frozen=True)
class Effect:
    """An effect size, and the ends of its interval; NaN where there is no spread."""

    size: float
    low: float
    high: float
    samples: int


def paired_effect(differences: Floats, rng_seed: int, samples: int = SAMPLES) -> Effect:
    """Mean of the differences over their deviation (Cohen's d_z), with a bootstrap interval.

    The interval is the percentile bootstrap of pairs drawn again (Efron and Tibshirani, *An
    Introduction to the Bootstrap*, 1993, 13.3), at 95 %.

    Parameters
    ----------
    differences
        One per pair. Shape (n,), without NaN.
    rng_seed
        Seed of the random draws.
    samples
        How many times pairs are drawn again.
    """
    n = len(differences)
    if n < 2 or not differences.std():
        return Effect(np.nan, np.nan, np.nan, 0)
    random = np.random.default_rng(rng_seed)
    sizes, left = [], samples
    while left:
        rows = min(left, max(1, CHUNK // n))
        sizes.append(_effect_of_rows(differences[random.integers(0, n, (rows, n))]))
        left -= rows
    tail = (1 - LEVEL) / 2
    drawn = np.concatenate(sizes)
    spread_out = drawn[np.isfinite(drawn)]  # a draw of one pair n times has no spread
    low, high = np.quantile(spread_out, [tail, 1 - tail])
    size = _effect_of_rows(differences[np.newaxis])[0]
    return Effect(float(size), float(low), float(high), samples)


def hedges_g(first: Floats, second: Floats) -> float:
    """Difference of means over the pooled deviation, corrected for few values (Hedges 1981).

    Parameters
    ----------
    first, second
        Shapes (n1,) and (n2,), without NaN; at least two each, or the answer is NaN.
    """
    if min(len(first), len(second)) < 2:
        return float("nan")
    freedom = len(first) + len(second) - 2
    squares = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
    if not squares:
        return float("nan")
    correction = 1 - 3 / (4 * freedom - 1)
    return float(correction * (first.mean() - second.mean()) / np.sqrt(squares / freedom))


def _effect_of_rows(rows: Floats) -> Floats:
    mean, deviation = rows.mean(axis=1), rows.std(axis=1, ddof=1)
    sizes = np.full(len(rows), np.nan)
    np.divide(mean, deviation, out=sizes, where=deviation > 0)
    return sizes
