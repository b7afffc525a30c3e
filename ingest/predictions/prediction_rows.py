"""Rows of the table predictions, and a hash of the numbers in each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.predictions.numbers import Numbers
from ingest.predictions.predicted import Predicted
from ingest.predictions.ragged import entries_of, offsets_of
from ingest.tables.rows_of_frames import tensors, vectors
from lake.structures.identity import label_checks
from schemas.models import PREDICTIONS
from schemas.types import VECTORS

Integers = NDArray[np.int64]


def prediction_rows(
    predicted: Predicted, frame: Integers, structure_id: Integers, *, model_id: int, job_id: str
) -> pa.Table:
    """Rows of frames for structures, without the partition columns.

    Parameters
    ----------
    frame
        Which frames of `predicted`, as often as they have a structure. Shape (m,).
    structure_id
        Shape (m,).
    """
    m = len(frame)
    energy = predicted.energy[frame]
    columns: dict[str, Any] = {
        "structure_id": structure_id,
        "model_id": np.full(m, model_id, np.int64),
        "n_atoms": predicted.n_atoms[frame].astype(np.int32),
        "energy": pa.array(energy, mask=np.isnan(energy)),
        "forces": _forces(predicted, frame),
        "stress": tensors(predicted.stress[frame]),
        "status": pa.repeat("ok", m),
        "job_id": pa.repeat(job_id, m),
    }
    schema = PREDICTIONS.file_arrow
    arrays = [
        pa.nulls(m, field.type)
        if field.name not in columns
        else pa.array(columns[field.name], field.type)
        if isinstance(columns[field.name], np.ndarray)
        else columns[field.name]
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def checks_of(predicted: Predicted) -> Integers:
    """A hash of the numbers of each frame. Shape (k,)."""
    return label_checks(
        n_atoms=predicted.n_atoms,
        energy=predicted.energy,
        forces=predicted.forces,
        stress=predicted.stress,
    )


def checks_of_rows(rows: pa.Table) -> Integers:
    """The same hash for rows of the table. Shape (m,)."""
    numbers = Numbers.of(rows)
    checks = np.empty(rows.num_rows, np.int64)
    has_forces = np.asarray(rows["forces"].is_valid())
    for with_forces in (True, False):
        mine = has_forces == with_forces
        checks[mine] = label_checks(
            n_atoms=numbers.n_atoms[mine],
            energy=numbers.energy[mine],
            forces=numbers.forces[np.repeat(mine, numbers.n_atoms)] if with_forces else None,
            stress=numbers.stress[mine],
        )
    return checks


def _forces(predicted: Predicted, frame: Integers) -> pa.Array:
    if predicted.forces is None:
        return pa.nulls(len(frame), VECTORS)
    values = predicted.forces[entries_of(offsets_of(predicted.n_atoms), frame)]
    return vectors(values, pa.array(offsets_of(predicted.n_atoms[frame]).astype(np.int32)))
