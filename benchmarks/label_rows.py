"""Rows of the table labels, and their commits to a lake."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa

from lake.lake import Lake
from lake.log.data_files import write_data_file
from lake.log.transaction import Changes
from schemas import TABLES

LABELS = TABLES["labels"]
PARTITION = {"dataset": "bench", "label_set": "dft"}


def label_rows(n_rows: int, n_atoms: int, seed: int) -> pa.Table:
    """Random labels, partition columns included."""
    random = np.random.default_rng(seed)
    integers = random.integers(np.iinfo(np.int64).max, size=(2, n_rows))
    offsets = np.arange(n_rows + 1, dtype=np.int32) * n_atoms
    forces = {
        axis: pa.ListArray.from_arrays(offsets, random.normal(size=n_rows * n_atoms))
        for axis in "xyz"
    }
    columns = {
        **{name: [value] * n_rows for name, value in PARTITION.items()},
        "structure_id": integers[0],
        "n_atoms": np.full(n_rows, n_atoms, dtype=np.int32),
        "energy": random.normal(size=n_rows),
        "forces": pa.StructArray.from_arrays(list(forces.values()), list(forces)),
        "label_check": integers[1],
    }
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns and not isinstance(columns[field.name], pa.Array)
        else columns.get(field.name, pa.nulls(n_rows, field.type))
        for field in LABELS.arrow
    ]
    names = LABELS.arrow.names
    return pa.table(dict(zip(names, arrays, strict=True))).cast(LABELS.arrow)


def commit_rows(lk: Lake, rows: pa.Table) -> None:
    """Append rows as one commit."""
    file = write_data_file(lk.storage, LABELS, PARTITION, uuid.uuid4().hex, rows)
    lk.commit("append", lambda _: Changes(added={LABELS.name: [file]}))
