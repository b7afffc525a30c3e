"""Rows of the table predictions, and a hash of the numbers in each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.predictions.numbers import Numbers
from ingest.predictions.predicted import Predicted
from ingest.predictions.ragged import entries_of, offsets_of
from lake.structures.identity import label_checks
from schemas.models import PREDICTIONS
from schemas.types import VECTORS, VOIGT

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
    energy, stress = predicted.energy[frame], predicted.stress[frame]
    no_stress = np.isnan(stress[:, 0])
    components = [pa.array(stress[:, j].copy(), mask=no_stress) for j in range(6)]
    columns: dict[str, Any] = {
        "structure_id": structure_id,
        "model_id": np.full(m, model_id, np.int64),
        "n_atoms": predicted.n_atoms[frame].astype(np.int32),
        "energy": pa.array(energy, mask=np.isnan(energy)),
        "forces": _forces(predicted, frame),
        "stress": pa.StructArray.from_arrays(
            components, fields=list(VOIGT), mask=pa.array(no_stress)
        ),
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
    offsets = pa.array(offsets_of(predicted.n_atoms[frame]).astype(np.int32))
    lists = [
        pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values[:, j])))
        for j in range(3)
    ]
    return pa.StructArray.from_arrays(lists, fields=list(VECTORS))
