"""Rows of predictions that were written, as a few numbers each."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PredictionRows:
    """Rows written, as columns of shape (n,): a frame has one for every structure it fits.

    ``file`` numbers the data files, ``check`` hashes the numbers, ``energy`` is NaN where there is
    none (eV). The order is that in which the rows stand in the files.
    """

    file: Integers
    dataset: Integers
    source: Integers
    frame: Integers
    line: Integers
    structure_id: Integers
    n_atoms: Integers
    check: Integers
    energy: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.file)

    @classmethod
    def concatenate(cls, parts: list[PredictionRows]) -> PredictionRows:
        """Rows one after the other."""
        columns = []
        for each in fields(cls):
            kind = np.float64 if each.name == "energy" else np.int64
            columns.append(
                np.concatenate([np.empty(0, kind), *(getattr(p, each.name) for p in parts)])
            )
        return cls(*columns)
