"""Student's and Welch's t: whether two means differ.

Formulas as in NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.3; checked against scipy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TTest:
    """A two-sided t test; all NaN where there are too few values, or none differs from another."""

    statistic: float
    degrees_of_freedom: float
    p_value: float


NOTHING = TTest(np.nan, np.nan, np.nan)


def student_t(first: Floats, second: Floats) -> TTest:
    """Test for unequal means of independent samples of equal variance.

    Parameters
    ----------
    first, second
        Shapes (n1,) and (n2,), without NaN.
    """
    n1, n2 = len(first), len(second)
    if min(n1, n2) < 1 or n1 + n2 < 3:
        return NOTHING
    freedom = n1 + n2 - 2
    squares = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
    error = np.sqrt(squares / freedom * (1 / n1 + 1 / n2))
    return _two_sided(first.mean() - second.mean(), error, freedom)


def welch_t(first: Floats, second: Floats) -> TTest:
    """Test for unequal means of independent samples, whatever their variances.

    Parameters
    ----------
    first, second
        Shapes (n1,) and (n2,), without NaN; at least two each.
    """
    if min(len(first), len(second)) < 2:
        return NOTHING
    of_first, of_second = first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)
    both = of_first + of_second
    if not both:
        return NOTHING
    freedom = both**2 / (of_first**2 / (len(first) - 1) + of_second**2 / (len(second) - 1))
    return _two_sided(first.mean() - second.mean(), np.sqrt(both), freedom)


def paired_t(differences: Floats) -> TTest:
    """Test for a mean difference other than 0.

    Parameters
    ----------
    differences
        One per pair. Shape (n,), without NaN.
    """
    n = len(differences)
    if n < 2:
        return NOTHING
    return _two_sided(differences.mean(), differences.std(ddof=1) / np.sqrt(n), n - 1)


def _two_sided(difference: float, error: float, freedom: float) -> TTest:
    from scipy.special import stdtr

    if not error:
        return NOTHING
    statistic = float(difference / error)
    return TTest(statistic, float(freedom), float(2 * stdtr(freedom, -abs(statistic))))
