"""Rows of the tables predictions and embeddings, from what was computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compute.jobs.done import Ids
from compute.jobs.job import Job, JobModel
from compute.worker.outcomes import Evaluated, Failure
from lake.latents.latent_writer import Pointer
from schemas import TABLES
from schemas.types import VECTORS, VOIGT

PREDICTIONS = TABLES["predictions"].file_arrow
EMBEDDINGS = TABLES["embeddings"].file_arrow


def prediction_rows(evaluated: Evaluated, model: JobModel, job: Job, dtype: str | None) -> pa.Table:
    """A row for every member of a batch; those without numbers say why."""
    batch, results = evaluated.batch, evaluated.results
    k = len(batch)
    is_failed = np.zeros(k, bool)
    is_failed[list(evaluated.reasons)] = True
    columns = {
        "structure_id": pa.array([member.structure_id for member in batch], pa.int64()),
        "n_atoms": pa.array(evaluated.n_atoms, pa.int32()),
        "energy": pa.array(results.energy, mask=is_failed),
        "forces": pa.nulls(k, VECTORS),
        "stress": pa.nulls(k, VOIGT),
        "error": pa.array([evaluated.reasons.get(i) for i in range(k)], pa.string()),
    }
    if results.forces is not None:
        columns["forces"] = _vectors(results.forces, evaluated.n_atoms, is_failed)
    if results.stress is not None:
        columns["stress"] = _voigt(results.stress, is_failed | ~evaluated.has_stress)
    return _rows(columns, is_failed, model, job, dtype)


def failure_rows(
    failures: Sequence[Failure], model: JobModel, job: Job, dtype: str | None
) -> pa.Table:
    """A row for every structure that could not be evaluated."""
    k = len(failures)
    columns = {
        "structure_id": pa.array([failure.structure_id for failure in failures], pa.int64()),
        "n_atoms": pa.array([failure.n_atoms for failure in failures], pa.int32()),
        "energy": pa.nulls(k, pa.float64()),
        "forces": pa.nulls(k, VECTORS),
        "stress": pa.nulls(k, VOIGT),
        "error": pa.array([failure.reason for failure in failures], pa.string()),
    }
    return _rows(columns, np.ones(k, bool), model, job, dtype)


def pointer_rows(
    pointers: Sequence[Pointer], definitions: dict[str, str], model: JobModel, job: Job
) -> pa.Table:
    """A row for every structure and layer of latents; `definitions` says what a layer is."""
    k = len(pointers)
    columns = {
        name: pa.array(
            [getattr(pointer, name) for pointer in pointers], EMBEDDINGS.field(name).type
        )
        for name in ("structure_id", "n_atoms", "layer", "store", "offset", "n_features", "dtype")
    }
    ends = np.cumsum([0, *(len(pointer.mean) for pointer in pointers)])
    means = np.concatenate([np.empty(0), *(pointer.mean for pointer in pointers)])
    columns |= {
        "model_id": pa.repeat(pa.scalar(model.model_id, pa.int64()), k),
        "definition": pa.array([definitions[pointer.layer] for pointer in pointers], pa.string()),
        "mean": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(means)),
        "job_id": pa.repeat(pa.scalar(job.job_id, pa.string()), k),
    }
    return pa.Table.from_arrays([columns[name] for name in EMBEDDINGS.names], schema=EMBEDDINGS)


def joined(parts: Sequence[pa.Table]) -> pa.Table:
    """Rows of predictions, one part after the other; none where there are no parts."""
    return pa.concat_tables([PREDICTIONS.empty_table(), *parts])


def without_failed(rows: pa.Table, model_id: int, ids: Ids) -> tuple[pa.Table, pa.Table]:
    """Rows of predictions without those of some structures that failed for a model.

    Those with numbers and those that failed come apart, in files of their own: so the next answers
    leave the numbers alone.
    """
    has_failed = pc.equal(rows["status"], "failed")
    is_answered = pc.and_(
        pc.equal(rows["model_id"], model_id),
        pc.is_in(rows["structure_id"], value_set=pa.array(ids)),
    )
    left = rows.filter(pc.and_not(has_failed, is_answered))
    return rows.filter(pc.invert(has_failed)), left


def _rows(
    columns: dict[str, pa.Array],
    is_failed: NDArray[np.bool_],
    model: JobModel,
    job: Job,
    dtype: str | None,
) -> pa.Table:
    k = len(is_failed)
    columns |= {
        "model_id": pa.repeat(pa.scalar(model.model_id, pa.int64()), k),
        "status": pa.array(np.where(is_failed, "failed", "ok"), pa.string()),
        "dtype": pa.repeat(pa.scalar(dtype, pa.string()), k),
        "job_id": pa.repeat(pa.scalar(job.job_id, pa.string()), k),
    }
    return pa.Table.from_arrays([columns[name] for name in PREDICTIONS.names], schema=PREDICTIONS)


def _vectors(
    vectors: NDArray[np.float64], n_atoms: NDArray[np.int64], is_null: NDArray[np.bool_]
) -> pa.Array:
    """Vectors of atoms as a struct of three lists per structure, NULL where `is_null`."""
    offsets = pa.array(np.concatenate(([0], np.cumsum(n_atoms))), pa.int32())
    components = [
        pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(vectors[:, axis])))
        for axis in range(3)
    ]
    return pa.StructArray.from_arrays(components, fields=list(VECTORS), mask=pa.array(is_null))


def _voigt(stress: NDArray[np.float64], is_null: NDArray[np.bool_]) -> pa.Array:
    components = [pa.array(np.ascontiguousarray(stress[:, i])) for i in range(6)]
    return pa.StructArray.from_arrays(components, fields=list(VOIGT), mask=pa.array(is_null))
