"""Atomic numbers of the atoms of structures, read as they are asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lake.reader import Reader
from lake.rows.row_reader import RowReader

CACHE_BYTES = 64 * 2**20


class AtomicNumbers:
    """Reads atomic numbers from a version of the lake, dataset by dataset."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rows: dict[str, RowReader] = {}

    def of(self, dataset: str, structure_ids: ArrayLike) -> NDArray[np.int16]:
        """The numbers of all atoms, one structure after the other. Shape (n_atoms,)."""
        if dataset not in self._rows:
            self._rows[dataset] = RowReader(
                self._reader,
                "structures",
                columns=("numbers",),
                cache_bytes=CACHE_BYTES,
                dataset=dataset,
            )
        rows = self._rows[dataset].fetch(structure_ids)
        return np.asarray(rows["numbers"].combine_chunks().flatten(), np.int16)
