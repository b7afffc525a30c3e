"""p-values of many tests, corrected for their number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Floats) -> Floats:
    """Bound the chance of any false finding (Holm 1979, Scand. J. Stat. 6, 65).

    Parameters
    ----------
    p_values
        Shape (n,). NaN stands for a test that could not be made; it stays and is not counted.
    """
    return _corrected(p_values, _step_down)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Bound the share of false findings (Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, 289).

    Parameters
    ----------
    p_values
        Shape (n,). NaN stands for a test that could not be made; it stays and is not counted.
    """
    return _corrected(p_values, _step_up)


def _step_down(ascending: Floats) -> Floats:
    n = len(ascending)
    return np.maximum.accumulate(ascending * (n - np.arange(n)))


def _step_up(ascending: Floats) -> Floats:
    n = len(ascending)
    scaled = ascending * n / np.arange(1, n + 1)
    return np.minimum.accumulate(scaled[::-1])[::-1]


def _corrected(p_values: Floats, correct: Callable[[Floats], Floats]) -> Floats:
    corrected = np.full(len(p_values), np.nan)
    made = np.flatnonzero(~np.isnan(p_values))
    order = made[np.argsort(p_values[made], kind="stable")]
    corrected[order] = np.minimum(correct(p_values[order]), 1.0)
    return corrected
