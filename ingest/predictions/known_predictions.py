"""Predictions of a model that a version of the lake holds already."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.predictions.prediction_rows import checks_of_rows
from lake.log.data_files import DataFile, open_data_file
from lake.reader import Reader
from lake.storage.arrow_input import open_parquet_input
from lake.storage.storage import Storage
from schemas import TABLES

Integers = NDArray[np.int64]

_COLUMNS = ["structure_id", "model_id", "n_atoms", "energy", "forces", "stress", "status"]
_BATCH_ROWS = 4096


@dataclass(frozen=True)
class Known:
    """What is there for the structures of one dataset that were asked for.

    ``numbers`` maps a structure to the hash and the energy (NaN: none) of its prediction;
    ``failed`` maps a file to the structures that stand in it as failed.
    """

    numbers: dict[int, tuple[int, float]] = field(default_factory=dict)
    failed: dict[str, set[int]] = field(default_factory=dict)


def read_known(
    reader: Reader, dataset: str, model: str, model_id: int, structure_id: Integers
) -> Known:
    """The predictions of a model for some structures of a dataset."""
    known = Known()
    wanted = pa.array(np.unique(structure_id))
    for file in reader.files("predictions", dataset=dataset, model=model):
        for batch in _batches(reader.storage, file, _COLUMNS):
            mine = pc.and_(
                pc.is_in(batch["structure_id"], value_set=wanted),
                pc.equal(batch["model_id"], model_id),
            )
            rows = batch.filter(mine)
            is_failed = pc.equal(rows["status"], "failed")
            ids = rows.filter(is_failed)["structure_id"].to_pylist()
            if ids:
                known.failed.setdefault(file.path, set()).update(ids)
            rows = rows.filter(pc.invert(is_failed))
            pairs = zip(
                checks_of_rows(rows).tolist(), rows["energy"].to_numpy().tolist(), strict=True
            )
            known.numbers.update(zip(rows["structure_id"].to_pylist(), pairs, strict=True))
    return known


def without_failed(
    storage: Storage, file: DataFile, model_id: int, structure_id: set[int]
) -> DataFile | None:
    """A copy of a data file without the failed rows of some structures; None if nothing is left."""
    table = TABLES["predictions"]
    gone = pa.array(sorted(structure_id), pa.int64())
    keys = _batches(storage, file, ["structure_id", "model_id", "status"])
    if all(pc.all(_is_gone(batch, model_id, gone)).as_py() for batch in keys):
        return None
    stem = file.path.rpartition("/")[2].removesuffix(".parquet")
    name = f"{stem}-{uuid.uuid4().hex[:8]}"
    with open_data_file(storage, table, file.partition, name) as (writer, result):
        for batch in _batches(storage, file, table.file_arrow.names):
            writer.write(batch.filter(pc.invert(_is_gone(batch, model_id, gone))))
    return result[0]


def _is_gone(batch: pa.Table, model_id: int, gone: pa.Array) -> pa.ChunkedArray:
    is_one = pc.is_in(batch["structure_id"], value_set=gone)
    is_mine = pc.equal(batch["model_id"], model_id)
    return pc.and_(pc.and_(is_one, is_mine), pc.equal(batch["status"], "failed"))


def _batches(storage: Storage, file: DataFile, columns: list[str]) -> Iterator[pa.Table]:
    with open_parquet_input(storage, f"predictions/{file.path}") as source:
        for batch in source.iter_batches(
            _BATCH_ROWS, columns=columns, use_threads=storage.is_local
        ):
            yield pa.Table.from_batches([batch])
