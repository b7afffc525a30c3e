"""Predictions of a model that a version of the lake holds already."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.predictions.numbers import compare
from ingest.predictions.prediction_rows import checks_of_rows
from ingest.predictions.written_rows import WrittenRows
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
    ``failed`` maps a file to the structures that stand in it as failed. ``repeated`` has the rows
    that are there but for the digits a text file left out.
    """

    numbers: dict[int, tuple[int, float]] = field(default_factory=dict)
    failed: dict[str, set[int]] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Whose:
    """One model's predictions of one dataset, in one version of the lake."""

    reader: Reader
    dataset: str
    model: str
    model_id: int


def read_known(whose: Whose, written: WrittenRows, which: Integers) -> Known:
    """The predictions of the structures of some written rows.

    Parameters
    ----------
    which
        The rows, those of one dataset. Shape (m,).
    """
    known = Known()
    ids = written.rows.structure_id[which]
    for path, rows in _rows_of(whose, ids):
        is_failed = pc.equal(rows["status"], "failed")
        failed = rows.filter(is_failed)["structure_id"].to_pylist()
        if failed:
            known.failed.setdefault(path, set()).update(failed)
        rows = rows.filter(pc.invert(is_failed))
        pairs = zip(checks_of_rows(rows).tolist(), rows["energy"].to_numpy().tolist(), strict=True)
        known.numbers.update(zip(rows["structure_id"].to_pylist(), pairs, strict=True))
    checks = zip(ids.tolist(), written.rows.check[which].tolist(), strict=True)
    is_other = [known.numbers.get(key, (check, 0.0))[0] != check for key, check in checks]
    if any(is_other):
        known.repeated.update(_repeated(whose, written, which[is_other]))
    return known


def _repeated(whose: Whose, written: WrittenRows, which: Integers) -> Iterator[int]:
    """Rows that the lake holds with more digits, or with fewer."""
    stored = (
        rows.filter(pc.not_equal(rows["status"], "failed"))
        for _, rows in _rows_of(whose, written.rows.structure_id[which])
    )
    for rows, mine, there in written.beside(which, stored):
        yield from rows[compare(mine, there).is_rounding].tolist()


def _rows_of(whose: Whose, structure_id: Integers) -> Iterator[tuple[str, pa.Table]]:
    """The rows of some structures, with the file they stand in."""
    reader, wanted = whose.reader, pa.array(np.unique(structure_id))
    for file in reader.files("predictions", dataset=whose.dataset, model=whose.model):
        for batch in _batches(reader.storage, file, _COLUMNS):
            is_wanted = pc.is_in(batch["structure_id"], value_set=wanted)
            is_mine = pc.equal(batch["model_id"], whose.model_id)
            yield file.path, batch.filter(pc.and_(is_wanted, is_mine))


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
