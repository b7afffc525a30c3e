from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.log.data_files import DataFileWriter
from schemas import TABLES

PREDICTIONS = TABLES["predictions"]
N_ATOMS = 50


def rows(forces: np.ndarray) -> pa.Table:
    """Predictions of one structure; `forces` of shape (3, N_ATOMS)."""
    row = {
        "structure_id": 1,
        "model_id": 2,
        "n_atoms": N_ATOMS,
        "forces": dict(zip("xyz", forces.tolist(), strict=True)),
        "status": "ok",
    }
    return pa.Table.from_pylist([row], schema=PREDICTIONS.file_arrow)


def written(*batches: pa.Table) -> pq.ParquetFile:
    stream = io.BytesIO()
    writer = DataFileWriter(PREDICTIONS, stream)
    for batch in batches:
        writer.write(batch)
    writer.close()
    return pq.ParquetFile(stream)


def column(file: pq.ParquetFile, path: str) -> pq.ColumnChunkMetaData:
    group = file.metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    return next(found for found in columns if found.path_in_schema == path)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numbers_are_written_by_the_precision_they_had_and_come_back_bit_for_bit(kind) -> None:
    forces = np.random.default_rng(1).normal(size=(3, N_ATOMS)).astype(kind).astype(np.float64)
    file = written(rows(forces))
    found = column(file, "forces.x.list.element")
    was_single = kind is np.float32
    assert ("BYTE_STREAM_SPLIT" in found.encodings) == was_single
    assert found.compression == ("ZSTD" if was_single else "LZ4")
    [read] = file.read().column("forces").to_pylist()
    assert np.array_equal(np.array([read[axis] for axis in "xyz"]), forces)


def test_numbers_that_turn_out_otherwise_later_in_a_file_come_back_bit_for_bit() -> None:
    full = np.random.default_rng(1).normal(size=(3, N_ATOMS))
    single = full.astype(np.float32).astype(np.float64)
    for first, second in [(full, single), (single, full)]:
        back = written(rows(first), rows(second)).read().column("forces").to_pylist()
        for forces, read in zip((first, second), back, strict=True):
            assert np.array_equal(np.array([read[axis] for axis in "xyz"]), forces)


def test_single_precision_takes_half_the_room() -> None:
    full = np.random.default_rng(1).normal(size=(3, N_ATOMS))
    sizes = [
        column(written(rows(forces)), "forces.x.list.element").total_compressed_size
        for forces in (full, full.astype(np.float32).astype(np.float64))
    ]
    assert sizes[1] < 0.7 * sizes[0]


def test_a_file_without_rows_has_the_columns_of_its_table() -> None:
    assert written().schema_arrow.names == PREDICTIONS.file_arrow.names
