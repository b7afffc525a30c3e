"""The structures of some datasets, by the hash of their geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.predictions.ragged import entries_of
from lake.reader import Reader

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Targets:
    """Structures that frames are matched to, m pairs of both.

    Attributes
    ----------
    frame
        Which frame, as it was numbered in the question. Shape (m,).
    dataset
        Index of the dataset. Shape (m,).
    structure_id
        Shape (m,).
    """

    frame: Integers
    dataset: Integers
    structure_id: Integers

    def __len__(self) -> int:
        return len(self.frame)


class StructureIndex:
    """Every structure of some datasets, in the order of their geometry_id.

    Attributes
    ----------
    datasets
        Names of the datasets.
    dataset, structure_id, geometry_id
        Shape (n,).
    formula
        In Hill order. Length n.
    """

    def __init__(self, reader: Reader, datasets: Sequence[str]) -> None:
        self.datasets = list(datasets)
        names = ("structure_id", "geometry_id", "formula")
        parts = [
            reader.columns("structures", reader.files("structures", dataset=name), names)
            for name in datasets
        ]
        table = pa.concat_tables(parts)
        codes = np.repeat(np.arange(len(parts)), [part.num_rows for part in parts])
        geometry_id = table["geometry_id"].to_numpy()
        order = np.argsort(geometry_id, kind="stable")
        self.dataset = codes[order]
        self.geometry_id = geometry_id[order]
        self.structure_id = table["structure_id"].to_numpy()[order]
        formulas = table["formula"].combine_chunks().dictionary_encode()
        if isinstance(formulas, pa.ChunkedArray):
            formulas = formulas.combine_chunks()
        self._formulas = formulas.dictionary.to_pylist()
        self._formula_code = formulas.indices.to_numpy()[order]

    def __len__(self) -> int:
        return len(self.geometry_id)

    @cached_property
    def n_of_formula(self) -> dict[str, int]:
        """How many structures have each formula."""
        counts = np.bincount(self._formula_code, minlength=len(self._formulas))
        return dict(zip(self._formulas, counts.tolist(), strict=True))

    def holds(self, geometry_id: Integers) -> NDArray[np.bool_]:
        """Whether there are structures with each geometry. Shape (k,)."""
        at = np.searchsorted(self.geometry_id, geometry_id)
        at[at == len(self)] = 0
        if not len(self):
            return np.zeros(len(geometry_id), np.bool_)
        found: NDArray[np.bool_] = self.geometry_id[at] == geometry_id
        return found

    def targets(self, frame: Integers, geometry_id: Integers, preferred: Integers) -> Targets:
        """All structures that have the geometry of a frame, in every dataset.

        Where a dataset holds several, which differ in their info, and one is the one preferred, it
        is that one alone.

        Parameters
        ----------
        frame
            Number of each frame. Shape (k,).
        geometry_id
            Shape (k,).
        preferred
            A structure_id for each frame. Shape (k,).
        """
        first = np.searchsorted(self.geometry_id, geometry_id, side="left")
        stop = np.searchsorted(self.geometry_id, geometry_id, side="right")
        which = np.repeat(np.arange(len(frame)), stop - first)
        bounds = np.stack((first, stop), axis=1).reshape(-1)
        rows = entries_of(bounds, 2 * np.arange(len(frame)))
        is_preferred = self.structure_id[rows] == preferred[which]
        group = which * len(self.datasets) + self.dataset[rows]
        keep = is_preferred | ~np.isin(group, group[is_preferred])
        rows, which = rows[keep], which[keep]
        return Targets(frame[which], self.dataset[rows], self.structure_id[rows])

    @cached_property
    def _by_structure(self) -> Integers:
        return np.argsort(self.structure_id, kind="stable")

    def rows_of(self, structure_id: Integers) -> Integers:
        """A row of each structure, -1 where there is none. Shape (k,)."""
        order = self._by_structure
        ids = self.structure_id[order]
        at = np.searchsorted(ids, structure_id)
        found = at < len(ids)
        found[found] = ids[at[found]] == structure_id[found]
        rows = np.full(len(structure_id), -1, np.int64)
        rows[found] = order[at[found]]
        return rows

    def formulas_at(self, rows: Integers) -> list[str]:
        """Formula of each row."""
        return [self._formulas[code] for code in self._formula_code[rows].tolist()]
