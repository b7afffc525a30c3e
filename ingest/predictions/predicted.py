"""Predictions as they were read: the numbers, and what tells whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Geometries:
    """Geometries of k frames of N atoms in all.

    Attributes
    ----------
    geometry_id, structure_id
        As the lake hashes them. Shape (k,).
    numbers
        Atomic numbers. Shape (N,).
    positions
        Shape (N, 3), Å.
    cell
        Shape (k, 3, 3), Å.
    pbc
        Shape (k, 3).
    """

    geometry_id: Integers
    structure_id: Integers
    numbers: NDArray[np.int16]
    positions: Floats
    cell: Floats
    pbc: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class References:
    """Reference values of k frames of N atoms in all.

    Attributes
    ----------
    energy
        NaN where there is none. Shape (k,), eV.
    forces
        Shape (N, 3), eV/Å.
    """

    energy: Floats
    forces: Floats


@dataclass(frozen=True, eq=False)
class Predicted:
    """k frames of N atoms in all, from one source.

    Attributes
    ----------
    source
        Index of the source in the command.
    frame, line
        Index of each frame in its source, from 0, and the line it begins at, from 1. Shape (k,).
    n_atoms
        Shape (k,).
    formula
        In Hill order, None where the file does not say. Length k.
    energy
        NaN where there is none. Shape (k,), eV.
    forces
        None where no frame has any. Shape (N, 3), eV/Å.
    stress
        Voigt order, NaN where there is none. Shape (k, 6), eV/Å³.
    whose
        What tells the structures: their geometry or, in files without one, their labels.
    excerpts
        How each frame begins. Length k.
    """

    source: int
    frame: Integers
    line: Integers
    n_atoms: Integers
    formula: list[str | None]
    energy: Floats
    forces: Floats | None
    stress: Floats
    whose: Geometries | References
    excerpts: list[str]

    def __len__(self) -> int:
        return len(self.frame)
