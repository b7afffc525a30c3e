"""Rows of structures and labels as flat NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StructureArrays:
    """k structures of N atoms in all. A value that is missing is NaN.

    Attributes
    ----------
    offsets
        First atom of every structure, and N at the end. Shape (k + 1,).
    numbers
        Atomic numbers. Shape (N,).
    positions
        Shape (N, 3), Å.
    cell
        Cell vectors as rows. Shape (k, 3, 3), Å.
    pbc
        Shape (k, 3).
    energy
        Shape (k,), eV; None where no labels were read.
    forces
        Shape (N, 3), eV/Å; None where no labels were read.
    stress
        Voigt order, sign as in ASE. Shape (k, 6), eV/Å³; None where no labels were read.
    """

    offsets: NDArray[np.int64]
    numbers: NDArray[np.int64]
    positions: Floats
    cell: Floats
    pbc: NDArray[np.bool_]
    energy: Floats | None = None
    forces: Floats | None = None
    stress: Floats | None = None

    @classmethod
    def from_rows(cls, structures: pa.Table, labels: pa.Table | None = None) -> StructureArrays:
        """The arrays of rows of both tables, labels in the order of the structures.

        Labels may lack columns: those are None then.
        """
        k = len(structures)
        n_atoms = structures["n_atoms"].to_numpy()
        offsets = np.concatenate(([0], np.cumsum(n_atoms, dtype=np.int64)))
        energy, forces, stress = (None,) * 3 if labels is None else _labels(labels, n_atoms)
        return cls(
            offsets,
            numbers=_flat(structures["numbers"]).astype(np.int64),
            positions=_vectors(structures["positions"], n_atoms),
            cell=_flat(structures["cell"]).reshape(k, 3, 3),
            pbc=_flat(structures["pbc"]).reshape(k, 3),
            energy=energy,
            forces=forces,
            stress=stress,
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1


def _labels(
    labels: pa.Table, n_atoms: NDArray[np.int32]
) -> tuple[Floats | None, Floats | None, Floats | None]:
    """Energy, forces and stress, each None where the rows lack the column."""
    columns = set(labels.column_names)
    energy = labels["energy"].to_numpy() if "energy" in columns else None
    forces = _vectors(labels["forces"], n_atoms) if "forces" in columns else None
    stress = None
    if "stress" in columns:
        components = _one_chunk(labels["stress"]).flatten()
        stress = np.stack([_to_numpy(component) for component in components], axis=1)
    return energy, forces, stress


def _vectors(column: pa.ChunkedArray, n_atoms: NDArray[np.int32]) -> Floats:
    """A vector for every atom, NaN where the row is NULL. Shape (N, 3)."""
    rows = _one_chunk(column)
    # StructArray.flatten passes the NULLs of the struct on; StructArray.field does not.
    components = [_to_numpy(component.flatten()) for component in rows.flatten()]
    if rows.null_count == 0:
        return np.stack(components, axis=1)
    given = np.repeat(np.asarray(rows.is_valid()), n_atoms)
    vectors = np.full((len(given), 3), np.nan)
    for axis, component in enumerate(components):
        vectors[given, axis] = component
    return vectors


def _flat(column: pa.ChunkedArray) -> NDArray[Any]:
    """The entries of all lists of a column, one after the other."""
    return _to_numpy(_one_chunk(column).flatten())


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _to_numpy(values: pa.Array) -> NDArray[Any]:
    """NULLs become NaN; a copy only where Arrow stores the values otherwise."""
    return np.asarray(values.to_numpy(zero_copy_only=False))
