"""Whose predictions they are: frames matched to structures by what they hold, never by place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.predictions.near_geometries import (
    NEAR_GEOMETRIES,
    TOLERANCE_ANGSTROM,
    compare_geometries,
)
from ingest.predictions.near_labels import NEAR_LABELS, compare_labels
from ingest.predictions.neighbours import Pairs, nearest
from ingest.predictions.numbers import ENERGY_TOLERANCE, FORCES_TOLERANCE
from ingest.predictions.predicted import Geometries, Predicted, References
from ingest.predictions.signed_rows import SignedRows, SignedTable
from ingest.predictions.structure_index import StructureIndex, Targets
from lake.counted import counted
from lake.reader import Reader

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Matches:
    """Structures of the frames that have one, and why the others have none."""

    targets: Targets
    unmatched: dict[int, str]


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of a table with some numbers of atoms, and the geometry of each."""

    n_atoms: Integers
    rows: SignedRows
    geometry_id: Integers


class Matcher:
    """Matches frames to the structures of some datasets, in one version of a lake.

    1. The same geometry, bit for bit.
    2. Else the same elements in the same order, cell and positions within 1e-4 Å, modulo lattice
       vectors, and the same pbc.
    3. Where a file gives no positions: labels that are the frame's reference values, forces within
       1e-4 eV/Å and energies within 1e-4 eV and 2e-7 of their size, and the same formula.

    Of several geometries within reach one is taken if it is ten times as near as the others.
    """

    def __init__(self, reader: Reader, datasets: Sequence[str]) -> None:
        self.reader = reader
        self.index = StructureIndex(reader, datasets)
        self._parts: dict[str, list[_Part]] = {}

    def match(self, predicted: Predicted) -> Matches:
        """The structures of frames, the structures of one frame in all datasets."""
        whose = predicted.whose
        if isinstance(whose, Geometries):
            return self._by_geometry(predicted, whose)
        return self._by_labels(predicted, whose)

    def _by_geometry(self, predicted: Predicted, whose: Geometries) -> Matches:
        geometry_id = whose.geometry_id.copy()
        is_known = self.index.holds(geometry_id)
        unmatched: dict[int, str] = {}
        for part, wanted in self._parts_for(NEAR_GEOMETRIES, predicted, np.flatnonzero(~is_known)):
            pairs, distance = compare_geometries(whose, predicted.n_atoms, wanted, part.rows)
            found = nearest(pairs, distance, part.geometry_id)
            geometry_id[found.pairs.frame] = part.geometry_id[found.pairs.row]
            is_known[found.pairs.frame] = True
            for frame, rivals in found.rivals.items():
                unmatched[frame] = self._several(part.rows, rivals)
        for frame in np.flatnonzero(~is_known).tolist():
            unmatched.setdefault(frame, self._no_geometry(predicted.formula[frame]))
        at = np.flatnonzero(is_known)
        targets = self.index.targets(at, geometry_id[at], whose.structure_id[at])
        return Matches(targets, unmatched)

    def _by_labels(self, predicted: Predicted, whose: References) -> Matches:
        frames, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        unmatched: dict[int, str] = {}
        every = np.arange(len(predicted))
        for part, wanted in self._parts_for(NEAR_LABELS, predicted, every):
            pairs, distance = compare_labels(whose, predicted.n_atoms, wanted, part.rows)
            keep = self._has_formula(predicted, pairs, part.rows)
            found = nearest(pairs.take(keep), distance[keep], part.geometry_id)
            frames.append(found.pairs.frame)
            ids.append(part.rows.structure_id[found.pairs.row])
            for frame, rivals in found.rivals.items():
                unmatched[frame] = self._several(part.rows, rivals)
        at, structure_id = np.concatenate(frames), np.concatenate(ids)
        for frame in np.setdiff1d(every, at).tolist():
            unmatched.setdefault(frame, self._no_labels(predicted, frame))
        geometry_id = self.index.geometry_id[self.index.rows_of(structure_id)]
        return Matches(self.index.targets(at, geometry_id, structure_id), unmatched)

    def _parts_for(
        self, table: SignedTable, predicted: Predicted, wanted: Integers
    ) -> list[tuple[_Part, Integers]]:
        """The parts of a table that may hold structures of these frames; read when first needed."""
        parts = self._parts.setdefault(table.name, [])
        n_atoms = predicted.n_atoms[wanted]
        known = [part.n_atoms for part in parts]
        missing = np.setdiff1d(n_atoms, np.concatenate(known) if known else [])
        if len(missing):
            rows = SignedRows(self.reader, table, self.index.datasets, missing)
            geometry_id = self.index.geometry_id[self.index.rows_of(rows.structure_id)]
            parts.append(_Part(missing, rows, geometry_id))
        of_part = [(part, wanted[np.isin(n_atoms, part.n_atoms)]) for part in parts]
        return [(part, frames) for part, frames in of_part if len(frames) and len(part.rows)]

    def _has_formula(
        self, predicted: Predicted, pairs: Pairs, rows: SignedRows
    ) -> NDArray[np.bool_]:
        there = self.index.formulas_at(self.index.rows_of(rows.structure_id[pairs.row]))
        asked = [predicted.formula[frame] for frame in pairs.frame.tolist()]
        same = [a is None or a == b for a, b in zip(asked, there, strict=True)]
        return np.array(same, dtype=np.bool_)

    def _several(self, rows: SignedRows, rivals: Sequence[int]) -> str:
        at = self.index.rows_of(rows.structure_id[rivals])
        names = dict.fromkeys(
            f"{self.index.datasets[self.index.dataset[row]]}, structure "
            f"{self.index.structure_id[row]}"
            for row in at.tolist()
        )
        shown = "; ".join(list(names)[:_SHOWN]) + ("; …" if len(names) > _SHOWN else "")
        return (
            f"fits {len(names)} structures as well: {shown}. One expected. Write the file with "
            "more digits, or leave datasets out with --dataset"
        )

    def _no_geometry(self, formula: str | None) -> str:
        n = self.index.n_of_formula.get(str(formula), 0)
        if not n:
            return self._no_formula(formula)
        return (
            f"none of the {n:,} structures with the formula {formula} has this geometry: elements "
            f"in this order, pbc, and cell and positions within {TOLERANCE_ANGSTROM:g} Å. Ingest "
            "the structure first, or mend the frame"
        )

    def _no_labels(self, predicted: Predicted, frame: int) -> str:
        formula = predicted.formula[frame]
        if formula is not None and not self.index.n_of_formula.get(formula):
            return self._no_formula(formula)
        kind = (
            counted(predicted.n_atoms[frame], "atom")
            if formula is None
            else f"the formula {formula}"
        )
        return (
            f"no structure with {kind} has these reference values as its labels: forces within "
            f"{FORCES_TOLERANCE:g} eV/Å and the energy within {ENERGY_TOLERANCE:g} eV. Ingest it "
            "with its labels first, or write the predictions as extended XYZ"
        )

    def _no_formula(self, formula: str | None) -> str:
        where = ", ".join(self.index.datasets[:_SHOWN])
        more = ", …" if len(self.index.datasets) > _SHOWN else ""
        return f"there is no structure with the formula {formula} in {where}{more}"
