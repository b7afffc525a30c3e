"""Rows near to frames: candidates from a k-d tree, and which of them is clearly the nearest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Comparing so many atoms at a time keeps memory near 100 MB.
PAIR_ATOMS = 1_000_000
# The nearest is taken where every other is at least so many times as far.
CLEARLY_NEARER = 10.0
_QUERIES = 4096


@dataclass(frozen=True, eq=False)
class Pairs:
    """Frames and the rows that may be theirs. Shape (m,) each."""

    frame: Integers
    row: Integers

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def none(cls) -> Pairs:
        """No pairs."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    def take(self, which: NDArray[Any]) -> Pairs:
        """Some of the pairs, by number or by a mask."""
        return Pairs(self.frame[which], self.row[which])


def near_pairs(wanted: Floats, tree: Any, radius: float) -> Pairs:
    """Pairs of signatures that differ by no more than `radius` in any number.

    Parameters
    ----------
    wanted
        Signatures of the frames. Shape (k, d).
    tree
        scipy's KDTree of the signatures of the rows.
    """
    frames, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start in range(0, len(wanted), _QUERIES):
        found = tree.query_ball_point(wanted[start : start + _QUERIES], radius, p=np.inf)
        counts = np.array([len(each) for each in found], dtype=np.int64)
        frames.append(np.repeat(start + np.arange(len(found)), counts))
        rows += [np.array(each, dtype=np.int64) for each in found if each]
    return Pairs(np.concatenate(frames), np.concatenate(rows))


def in_parts(pairs: Pairs, n_atoms: Integers) -> Iterator[NDArray[np.intp]]:
    """Numbers of the pairs, in parts of about `PAIR_ATOMS` atoms.

    Parameters
    ----------
    n_atoms
        Atoms of each frame. Shape (k,).
    """
    part = np.cumsum(n_atoms[pairs.frame]) // PAIR_ATOMS
    if len(part):
        yield from np.split(np.arange(len(part)), np.flatnonzero(np.diff(part)) + 1)


def within_reach(
    pairs: Pairs, n_atoms: Integers, distances: Callable[[Pairs], Floats], reach: float
) -> tuple[Pairs, Floats]:
    """The pairs that are no further apart than `reach`, and how far they are. Shape (m,).

    Parameters
    ----------
    n_atoms
        Atoms of each frame. Shape (k,).
    distances
        How far the frames and rows of some pairs are apart, a million atoms at a time.
    """
    found = np.full(len(pairs), np.inf)
    for part in in_parts(pairs, n_atoms):
        found[part] = distances(pairs.take(part))
    is_near = found <= reach
    return pairs.take(is_near), found[is_near]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The row of each frame that has one, and the rows of each frame that has several.

    Attributes
    ----------
    pairs
        Sorted by frame, every frame at most once.
    rivals
        Numbers of rows by frame, the nearest first.
    """

    pairs: Pairs
    rivals: dict[int, list[int]]


def nearest(pairs: Pairs, distance: Floats, kind: Integers) -> Nearest:
    """The row that is clearly nearer to its frame than all rows of another kind.

    Parameters
    ----------
    distance
        Of each pair; those out of reach were left out. Shape (m,).
    kind
        What each row stands for: rows of one kind are no rivals. Shape (n,).
    """
    order = np.lexsort((pairs.row, distance, pairs.frame))
    sorted_pairs, far = pairs.take(order), distance[order]
    starts = np.flatnonzero(np.diff(sorted_pairs.frame, prepend=-1))
    counts = np.diff(np.append(starts, len(order)))
    best = np.repeat(starts, counts)
    row = sorted_pairs.row
    is_rival = (far <= CLEARLY_NEARER * far[best]) & (kind[row] != kind[row[best]])
    rivals: dict[int, list[int]] = {}
    for i in np.flatnonzero(is_rival).tolist():
        frame = int(sorted_pairs.frame[i])
        rivals.setdefault(frame, [int(row[best[i]])]).append(int(row[i]))
    keep = ~np.isin(sorted_pairs.frame[starts], list(rivals))
    return Nearest(sorted_pairs.take(starts[keep]), rivals)
