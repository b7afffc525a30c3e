"""Leaving rows out of data files that were written before it was known which are new."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.landing.duplicates import Resolution
from ingest.tables.rows import Rows
from ingest.tasks.reading import TaskResult
from lake.log.data_files import DataFile, open_data_file
from lake.storage.arrow_input import open_parquet_input
from lake.storage.storage import Storage
from schemas import TABLES

_BATCH_ROWS = 4096


def kept_files(
    storage: Storage, results: Sequence[TaskResult], rows: Rows, resolution: Resolution
) -> dict[str, list[DataFile]]:
    """Data files with the new structures and labels alone.

    A file of which every row is new is taken as it is: the usual case costs nothing.
    """
    files: dict[str, list[DataFile]] = {"structures": [], "labels": []}
    starts = np.searchsorted(rows.task, [result.number for result in results])
    for result, start in zip(results, starts.tolist(), strict=True):
        here = slice(start, start + len(result.rows))
        labelled = rows.has_label[here]
        keep = {
            "structures": resolution.adds_structure[here],
            "labels": resolution.adds_label[here][labelled],
        }
        for name, file in (("structures", result.structures), ("labels", result.labels)):
            if file is not None and keep[name].any():
                files[name].append(cut_file(storage, name, file, keep[name]))
    return files


def cut_file(storage: Storage, name: str, file: DataFile, keep: NDArray[np.bool_]) -> DataFile:
    """The data file of a table with the rows to keep; itself where these are all."""
    if keep.all():
        return file
    table = TABLES[name]
    stem = file.path.rpartition("/")[2].removesuffix(".parquet")
    new = f"{stem}-{uuid.uuid4().hex[:8]}"
    with (
        open_parquet_input(storage, f"{name}/{file.path}") as source,
        open_data_file(storage, table, file.partition, new) as (writer, result),
    ):
        start = 0
        for batch in source.iter_batches(_BATCH_ROWS, use_threads=storage.is_local):
            mask = pa.array(keep[start : start + batch.num_rows])
            writer.write(pa.Table.from_batches([batch]).filter(mask))
            start += batch.num_rows
    return result[0]
