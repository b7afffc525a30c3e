"""Structures whose geometry is that of a frame but for the digits a text file left out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.predictions.neighbours import Pairs, within_reach
from ingest.predictions.predicted import Geometries
from ingest.predictions.ragged import entries_of, greatest, offsets_of
from ingest.predictions.signatures import full_cells, geometry_signatures
from ingest.predictions.signed_rows import SignedRows, SignedTable
from lake.structures.structure_arrays import StructureArrays

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TOLERANCE_ANGSTROM = 1e-4
# Fractions of a cell that differs within the tolerance differ more for atoms outside of it.
_RADIUS = 5 * TOLERANCE_ANGSTROM
# Where structures differ in a displaced atom, that radius makes all of them candidates for each
# frame. Six decimals are found with less; and nothing ten times as far is missed.
_FINE_ANGSTROM = 1e-6
_FINE_RADIUS = 50 * _FINE_ANGSTROM
_ROUNDING = 1e-9


def _sign(rows: pa.Table) -> Floats:
    known = StructureArrays.from_rows(rows)
    n_atoms = np.diff(known.offsets)
    return geometry_signatures(known.positions, n_atoms, known.cell, known.pbc)


NEAR_GEOMETRIES = SignedTable("structures", ("numbers", "positions", "cell", "pbc"), None, _sign)


def compare_geometries(
    frames: Geometries, n_atoms: Integers, wanted: Integers, rows: SignedRows
) -> tuple[Pairs, Floats]:
    """Frames and rows with the same elements in the same order, near each other everywhere.

    Lattice vectors between the positions of an atom do not count: its forces are the same.

    Parameters
    ----------
    n_atoms
        Atoms of each frame. Shape (k,).
    wanted
        Which frames. Shape (m,).

    Returns
    -------
    tuple[Pairs, Floats]
        The pairs, and the greatest difference of a coordinate or of a component of the cell in Å.
    """
    fine, fine_distance = _compare(frames, n_atoms, wanted, rows, _FINE_RADIUS)
    is_settled = np.isin(fine.frame, fine.frame[fine_distance <= _FINE_ANGSTROM])
    fine, fine_distance = fine.take(is_settled), fine_distance[is_settled]
    rest = np.setdiff1d(wanted, fine.frame)
    coarse, coarse_distance = _compare(frames, n_atoms, rest, rows, _RADIUS)
    pairs = Pairs(
        np.concatenate((fine.frame, coarse.frame)), np.concatenate((fine.row, coarse.row))
    )
    return pairs, np.concatenate((fine_distance, coarse_distance))


def _compare(
    frames: Geometries, n_atoms: Integers, wanted: Integers, rows: SignedRows, radius: float
) -> tuple[Pairs, Floats]:
    """The same with rows whose signature is within a radius."""
    if not len(wanted):
        return Pairs.none(), np.empty(0)
    offsets = offsets_of(n_atoms)
    atoms = entries_of(offsets, wanted)
    signatures = geometry_signatures(
        frames.positions[atoms], n_atoms[wanted], frames.cell[wanted], frames.pbc[wanted]
    )
    near = rows.near(signatures, radius)
    return within_reach(
        Pairs(wanted[near.frame], near.row),
        n_atoms,
        lambda pairs: _distances(frames, offsets, pairs, rows),
        TOLERANCE_ANGSTROM + _ROUNDING,
    )


def _distances(frames: Geometries, offsets: Integers, pairs: Pairs, rows: SignedRows) -> Floats:
    known = StructureArrays.from_rows(rows.fetch(pairs.row))
    atoms = entries_of(offsets, pairs.frame)
    n_atoms = np.diff(known.offsets)
    shift = frames.positions[atoms] - known.positions
    pair_of = np.repeat(np.arange(len(pairs)), n_atoms)
    full = full_cells(known.cell, known.pbc)
    n_cells = np.round(np.einsum("ni,nij->nj", shift, np.linalg.inv(full)[pair_of]))
    n_cells *= known.pbc[pair_of]
    apart = np.abs(shift - np.einsum("ni,nij->nj", n_cells, full[pair_of])).max(axis=1)
    apart[frames.numbers[atoms] != known.numbers] = np.inf
    cell = np.abs(frames.cell[pairs.frame] - known.cell).max(axis=(1, 2))
    is_other = (frames.pbc[pairs.frame] != known.pbc).any(axis=1)
    cell[is_other] = np.inf
    distances: Floats = np.maximum(greatest(apart, n_atoms), cell)
    return distances
