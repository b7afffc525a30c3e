"""Shortest vectors between points of a periodic structure, whatever the shape of its cell."""

from __future__ import annotations

from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EQUAL = 1e-8  # Å; images that are as near as this are equally near
_AT_ONCE = 20_000


class MinimumImage:
    """The lattice vectors of a structure along which it is periodic, reduced.

    In a Minkowski-reduced basis the shortest image of a vector is among the 27 around the one
    whose coordinates are at most a half [1]_.

    Parameters
    ----------
    cell
        Lattice vectors as rows, linearly independent along periodic directions.
        Shape (3, 3), Å.
    pbc
        Shape (3,).

    References
    ----------
    .. [1] P. Q. Nguyen and D. Stehlé, ACM Trans. Algorithms 5, 46 (2009).
    """

    def __init__(self, cell: Floats, pbc: NDArray[np.bool_]) -> None:
        self.vectors = reduce_lattice(np.asarray(cell, np.float64)[np.asarray(pbc, bool)])

    @cached_property
    def shortest(self) -> float:
        """Length of the shortest lattice vector, Å; infinite where nothing is periodic."""
        return float(min(np.linalg.norm(self.vectors, axis=1), default=np.inf))

    @cached_property
    def _inverse(self) -> Floats:
        """From vectors to coordinates along the lattice vectors. Shape (3, n_periodic)."""
        return np.asarray(np.linalg.pinv(self.vectors), np.float64)

    @cached_property
    def _images(self) -> Floats:
        """The lattice points around the origin, itself first. Shape (3**n_periodic, 3)."""
        n = len(self.vectors)
        counts = np.array(sorted(product((0, -1, 1), repeat=n), key=lambda c: sum(map(abs, c))))
        images: Floats = counts.reshape(-1, n) @ self.vectors
        return images

    def shorten(self, vectors: Floats) -> Floats:
        """The shortest image of each vector. Shape (n, 3), Å.

        Of images that are equally near, the one with the lowest x, then y, then z: so that what
        lies half a cell away does not depend on the last digit.

        Parameters
        ----------
        vectors
            Shape (n, 3), Å.
        """
        if not len(self.vectors):
            return np.array(vectors, np.float64)
        parts = [
            self._shorten(np.asarray(vectors[start : start + _AT_ONCE], np.float64))
            for start in range(0, len(vectors), _AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty((0, 3))

    def lengths(self, vectors: Floats) -> Floats:
        """The length of the shortest image of each vector. Shape (n,), Å."""
        lengths: Floats = np.linalg.norm(self.shorten(vectors), axis=1)
        return lengths

    def _shorten(self, vectors: Floats) -> Floats:
        wrapped = vectors - np.round(vectors @ self._inverse) @ self.vectors
        inside = np.linalg.norm(wrapped, axis=1) < 0.5 * self.shortest - _EQUAL
        if inside.all():
            return wrapped
        far = np.flatnonzero(~inside)
        candidates = wrapped[far, np.newaxis] + self._images
        lengths = np.sqrt(np.einsum("nij,nij->ni", candidates, candidates))
        is_nearest = lengths <= lengths.min(axis=1, keepdims=True) + _EQUAL
        wrapped[far] = candidates[np.arange(len(far)), _lowest(candidates, is_nearest)]
        return wrapped


def _lowest(candidates: Floats, is_allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which allowed vector of each row has the lowest x, then y, then z. Shape (n,)."""
    several = np.flatnonzero(is_allowed.sum(axis=1) > 1)
    left = is_allowed[several]
    for axis in range(3):
        values = np.where(left, candidates[several, :, axis], np.inf)
        left = values <= values.min(axis=1, keepdims=True) + 2 * _EQUAL
    found: NDArray[np.int64] = np.argmax(is_allowed, axis=1)
    found[several] = np.argmax(left, axis=1)
    return found


def reduce_lattice(vectors: Floats) -> Floats:
    """A Minkowski-reduced basis of the lattice spanned by at most three vectors. Same shape, Å.

    The greedy algorithm of Nguyen and Stehlé, as in ``ase.geometry.minkowski_reduce``.
    """
    basis = np.array(vectors, np.float64).reshape(-1, 3)
    if len(basis) < 2 or _is_orthogonal(basis):
        return basis
    while True:
        basis = basis[np.argsort(np.einsum("ij,ij->i", basis, basis), kind="stable")]
        if len(basis) == 3:
            basis[:2] = reduce_lattice(basis[:2])
        shorter = _shorter_last(basis)
        if shorter is None:
            return basis
        basis[-1] = shorter


def _is_orthogonal(basis: Floats) -> bool:
    gram = basis @ basis.T
    return bool(
        (np.abs(gram - np.diag(np.diag(gram))) <= 1e-12 * np.abs(np.diag(gram)).max()).all()
    )


def _shorter_last(basis: Floats) -> Floats | None:
    """The last vector less the nearest point of the lattice of the others; None if not shorter."""
    others, last = basis[:-1], basis[-1]
    nearest = np.floor(np.linalg.lstsq(others.T, last, rcond=None)[0])
    counts = np.array(list(product((0, 1), repeat=len(others)))) + nearest
    candidates = last - counts @ others
    squares = np.einsum("ij,ij->i", candidates, candidates)
    best = int(np.argmin(squares))
    if squares[best] < (1 - 1e-12) * (last @ last):
        found: Floats = candidates[best]
        return found
    return None
