"""Frames read from a source, as columns, and frames that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXCERPT_LENGTH = 400

Info = dict[str, Any]


@dataclass(frozen=True)
class Reject:
    """A frame that does not go in, with its place and the reason.

    ``frame`` counts from 0 (-1 for the file as a whole) and ``line`` from 1 (0 where a format has
    no lines). ``excerpt`` is the beginning of the frame, at most 400 characters.
    """

    frame: int
    line: int
    reason: str
    excerpt: str = ""


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Frames that carry the same per-atom arrays, as columns.

    With k frames of N atoms in all:

    Attributes
    ----------
    frame
        Index of each frame in its source, from 0. Shape (k,).
    line
        Line each frame begins at, from 1. Shape (k,).
    n_atoms
        Shape (k,), sum N.
    cell
        Cell vectors as rows, all zero where there is no cell. Shape (k, 3, 3), unit of the source.
    pbc
        Periodic along each cell vector. Shape (k, 3).
    numbers
        Atomic numbers. Shape (N,).
    positions
        Shape (N, 3), unit of the source.
    arrays
        Every other per-atom array: float64, int64, bool, or object holding str. Shape (N,) or
        (N, m).
    info
        Every other key of each frame. Length k.
    """

    frame: NDArray[np.int64]
    line: NDArray[np.int64]
    n_atoms: NDArray[np.int64]
    cell: NDArray[np.float64]
    pbc: NDArray[np.bool_]
    numbers: NDArray[np.int16]
    positions: NDArray[np.float64]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    info: list[Info] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """First atom of every frame, and N at the end. Shape (k + 1,)."""
        return np.concatenate(([0], np.cumsum(self.n_atoms)))

    def select(self, keep: NDArray[np.bool_]) -> FrameBatch:
        """The frames where `keep` is true. Shape (k,)."""
        if keep.all():
            return self
        atoms = np.repeat(keep, self.n_atoms)
        return replace(
            self,
            frame=self.frame[keep],
            line=self.line[keep],
            n_atoms=self.n_atoms[keep],
            cell=self.cell[keep],
            pbc=self.pbc[keep],
            numbers=self.numbers[atoms],
            positions=self.positions[atoms],
            arrays={name: values[atoms] for name, values in self.arrays.items()},
            info=[info for info, kept in zip(self.info, keep, strict=True) if kept],
        )
