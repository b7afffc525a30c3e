"""Members brought into one basis: what is left of their disagreement is not linear.

Seeds turn, stretch and shift the latents of a model without a change of what it predicts, because
the layers that follow undo it. Generalised canonical correlation analysis (the MAXVAR form:
Carroll 1968, Kettenring 1971) takes that out: it finds the components that the latents of all
members explain best on the atoms of a baseline, and gives every member a linear map onto them, with
a constant. An invertible linear map of the latents of a member changes nothing of that. It would
change least squares onto the mean of the members, which goes along with each of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Directions narrower than this share of the widest are rounding of single precision.
ROUNDING = 1e-5
# Components on which members correlate less, on average over pairs, are not shared by them.
LEAST_CORRELATION = 0.5
# Atoms for each direction of the latents and for the constant: fewer leave hardly a difference.
LEAST_ATOMS = 2
# With fewer, atoms that were not fitted on score more than a tenth above those that were.
ENOUGH_ATOMS = 20

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Number, mean and scatter of rows.

    Attributes
    ----------
    mean
        Shape (n_columns,).
    scatter
        Sum of the products of deviations from the mean. Shape (n_columns, n_columns).
    """

    n_rows: int
    mean: Matrix
    scatter: Matrix

    @classmethod
    def of(cls, rows: Matrix) -> Moments:
        """The moments of rows, at least one. Shape (n_rows, n_columns)."""
        mean = rows.mean(axis=0)
        deviation = rows - mean
        return cls(len(rows), mean, deviation.T @ deviation)

    def __add__(self, other: Moments) -> Moments:
        """The moments of the rows of both, by the formula of Chan, Golub and LeVeque (1983)."""
        n_rows = self.n_rows + other.n_rows
        apart = other.mean - self.mean
        between = np.outer(apart, apart) * (self.n_rows * other.n_rows / n_rows)
        mean = self.mean + apart * (other.n_rows / n_rows)
        return Moments(n_rows, mean, self.scatter + other.scatter + between)


@dataclass(frozen=True, eq=False)
class Alignment:
    """A linear map for every member onto components they share.

    Attributes
    ----------
    mean
        What is taken from the latents first. Shape (n_members, n_features).
    weights
        Onto components of variance 1 on the atoms fitted on. Shape (n_members, n_features,
        n_components), at least one component.
    n_atoms, rank
        Atoms fitted on, and the greatest number of directions in which a member varies there.
    """

    mean: Matrix
    weights: Matrix
    n_atoms: int
    rank: int

    @property
    def has_enough_atoms(self) -> bool:
        """Whether atoms that were fitted on and others of their kind score about alike."""
        return self.n_atoms >= ENOUGH_ATOMS * (self.rank + 1)

    def variances(self, latents: Matrix) -> Matrix:
        """The population variance over members of aligned latents, averaged over components.

        Parameters
        ----------
        latents
            Shape (n_members, n_atoms, n_features).

        Returns
        -------
        Shape (n_atoms,), without a unit: 1 is the variance of the baseline in each component.
        """
        aligned = (latents - self.mean[:, None]) @ self.weights
        found: Matrix = aligned.var(axis=0).mean(axis=1)
        return found


def align(moments: Moments, n_members: int) -> Alignment | None:
    """Align members on atoms of one element.

    Parameters
    ----------
    moments
        Of the latents of the atoms, those of all members side by side.

    Returns
    -------
    None where that cannot be: fewer atoms than twice the directions in which the latents vary, and
    the constant; latents that do not vary; or members that share no component.
    """
    covariance = moments.scatter / moments.n_rows
    each = np.split(np.arange(len(covariance)), n_members)
    whitening = [_whitening(covariance[np.ix_(own, own)]) for own in each]
    ranks = [white.shape[1] for white in whitening]
    if not min(ranks) or moments.n_rows < LEAST_ATOMS * (max(ranks) + 1):
        return None
    white = np.zeros((len(covariance), sum(ranks)))  # the whitening of all, along the diagonal
    columns = np.split(np.arange(sum(ranks)), np.cumsum(ranks)[:-1])
    for own, column, block in zip(each, columns, whitening, strict=True):
        white[np.ix_(own, column)] = block
    values, vectors = np.linalg.eigh(white.T @ covariance @ white)
    # An eigenvalue is 1 + (n_members - 1) times the mean correlation of pairs of members.
    is_shared = values > 1 + (n_members - 1) * LEAST_CORRELATION
    kept = np.flatnonzero(is_shared)
    if not len(kept):
        return None
    # Least squares of the consensus, vectors/√values in white coordinates, on the latents of each.
    weights = white @ (vectors[:, kept] * np.sqrt(values[kept]))
    return Alignment(
        moments.mean.reshape(n_members, -1),
        weights.reshape(n_members, -1, len(kept)),
        moments.n_rows,
        max(ranks),
    )


def _whitening(covariance: Matrix) -> Matrix:
    """Onto directions of variance 1, without those that are rounding. Shape (n, rank)."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > max(ROUNDING**2 * values[-1], 0)
    white: Matrix = vectors[:, kept] / np.sqrt(values[kept])
    return white
