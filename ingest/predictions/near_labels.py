"""Structures whose labels are the reference values of a frame, where that gives no positions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.predictions.neighbours import Pairs, within_reach
from ingest.predictions.numbers import (
    FORCES_TOLERANCE,
    ROUNDING,
    TELLING_FORCE,
    energy_tolerance,
    floats,
    whole,
)
from ingest.predictions.predicted import References
from ingest.predictions.ragged import entries_of, greatest, offsets_of
from ingest.predictions.signatures import weighted_means
from ingest.predictions.signed_rows import SignedRows, SignedTable

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def _sign(rows: pa.Table) -> Floats:
    return _signatures(_forces(rows), rows["n_atoms"].to_numpy().astype(np.int64))


NEAR_LABELS = SignedTable("labels", ("energy", "forces"), "forces", _sign)


def compare_labels(
    frames: References, n_atoms: Integers, wanted: Integers, rows: SignedRows
) -> tuple[Pairs, Floats]:
    """Frames and rows of labels whose forces, and energies where both have one, are the same.

    Parameters are those of `near_geometries.compare_geometries`; the distance is the greatest
    difference as a part of what is tolerated.
    """
    offsets = offsets_of(n_atoms)
    forces = frames.forces[entries_of(offsets, wanted)]
    near = rows.near(_signatures(forces, n_atoms[wanted]), FORCES_TOLERANCE * (1 + ROUNDING))
    return within_reach(
        Pairs(wanted[near.frame], near.row),
        n_atoms,
        lambda pairs: _distances(frames, offsets, pairs, rows),
        1 + ROUNDING,
    )


def _distances(frames: References, offsets: Integers, pairs: Pairs, rows: SignedRows) -> Floats:
    known = rows.fetch(pairs.row)
    n_atoms = known["n_atoms"].to_numpy().astype(np.int64)
    forces = frames.forces[entries_of(offsets, pairs.frame)]
    apart = greatest(np.abs(forces - _forces(known)).max(axis=1), n_atoms) / FORCES_TOLERANCE
    energy, other = frames.energy[pairs.frame], known["energy"].to_numpy()
    energy_apart = np.abs(energy - other) / energy_tolerance(energy)
    is_compared = ~np.isnan(energy_apart)
    is_telling = greatest(np.abs(forces).max(axis=1), n_atoms) > TELLING_FORCE
    apart = np.where(is_compared, np.maximum(apart, energy_apart), apart)
    distances: Floats = np.where(is_compared | is_telling, apart, np.inf)
    return distances


def _signatures(forces: Floats, n_atoms: Integers) -> Floats:
    means = weighted_means(forces, n_atoms)
    return np.concatenate((n_atoms[:, None].astype(np.float64), means), axis=1)


def _forces(rows: pa.Table) -> Floats:
    """Forces of rows that all have some. Shape (N, 3), eV/Å."""
    return np.stack([floats(each.flatten()) for each in whole(rows["forces"]).flatten()], axis=1)
