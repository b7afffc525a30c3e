"""What schemes look at, and what they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TWO = (None, "defect", "bulk")
THREE = (None, "core", "shell", "bulk", "core+bulk")


@dataclass(frozen=True, eq=False)
class Structure:
    """A structure as it stands in the lake.

    ``numbers`` has shape (n_atoms,), ``positions`` (n_atoms, 3) in Å, ``cell`` (3, 3) in Å with
    lattice vectors as rows, ``pbc`` (3,).
    """

    numbers: Integers
    positions: Floats
    cell: Floats
    pbc: NDArray[np.bool_]
    config_type: str | None = None

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, eq=False)
class Regions:
    """Where the atoms of a structure lie.

    Attributes
    ----------
    two, three
        Codes of the labels of every atom, as in `TWO` and `THREE`. Shape (n_atoms,).
    distance
        From every atom to the nearest defect, Å; None where there is no defect. Shape (n_atoms,).
    centres
        Of every defect. Shape (n_defects, 3), Å.
    kinds
        What every defect is, where the scheme tells.
    defect_kind
        What the structure holds, or is taken to hold.
    details
        What was found on the way, as JSON can hold it.
    """

    two: NDArray[np.int8]
    three: NDArray[np.int8]
    distance: Floats | None
    centres: Floats
    defect_kind: str
    kinds: Sequence[str] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class NoRegionsError(Exception):
    """A scheme does not apply to a structure; the text says why."""
