"""Rows by structure_id: the right ones, in the order asked, with bounded memory."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from lake_samples import append, label, structure, vectors

import lake
from lake.errors import NotFoundError
from lake.lake import Lake
from lake.log import data_files
from lake.reader import Reader
from lake.rows.row_reader import RowReader

FRAMES = 40


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Two datasets in row groups of ten atoms; structure 7 is in both, with other labels."""
    monkeypatch.setattr(data_files, "ATOMS_PER_ROW_GROUP", 10)
    lk = lake.create(str(tmp_path / "lake"))
    identities = np.random.default_rng(0).permutation(FRAMES).tolist()
    append(
        lk,
        structures=[structure(i, n_atoms=1 + i % 4) for i in identities],
        labels=[label(i, n_atoms=1 + i % 4) for i in identities if i % 2],
    )
    append(lk, structures=[structure(7, "ni", 4)], labels=[label(7, "ni", 4, energy=-7.0)])
    return lk


@pytest.fixture
def reader(lk: Lake) -> Reader:
    return lk.reader


def test_rows_come_in_the_order_asked_and_as_often(reader: Reader) -> None:
    rows = RowReader(reader, "structures", dataset="cu")
    wanted = [31, 2, 7, 2, 0, 39]
    found = rows.fetch(wanted)
    assert found["structure_id"].to_pylist() == wanted
    assert found["positions"].to_pylist() == [vectors(1 + i % 4, float(i)) for i in wanted]
    assert found["dataset"].to_pylist() == ["cu"] * len(wanted)
    assert found.schema.names == reader.scan("structures").collect_schema().names()


def test_only_the_columns_asked_for_are_there(reader: Reader) -> None:
    rows = RowReader(reader, "labels", columns=["label_set", "energy"], dataset="cu")
    assert rows.fetch([1, 3]).to_pydict() == {"label_set": ["dft"] * 2, "energy": [1.0, 3.0]}


def test_an_unknown_column_lists_the_near_ones(reader: Reader) -> None:
    with pytest.raises(NotFoundError, match="Did you mean forces"):
        RowReader(reader, "labels", columns=["force"])


def test_no_ids_are_no_rows(reader: Reader) -> None:
    assert RowReader(reader, "structures").fetch([]).num_rows == 0


def test_a_table_without_files_has_no_rows(tmp_path: Path) -> None:
    rows = RowReader(lake.create(str(tmp_path / "empty")).reader, "structures")
    assert len(rows) == 0
    with pytest.raises(NotFoundError, match="structure_id 5"):
        rows.fetch([5])


def test_the_same_structure_in_two_datasets_is_told_apart(reader: Reader) -> None:
    rows = RowReader(reader, "labels", columns=["dataset", "energy"])
    datasets = pa.chunked_array([["ni", "cu", "none"]])
    places = rows.index.locate([7, 7, 7], datasets)
    assert places[2] == -1
    assert rows.take(places[:2]).to_pydict() == {"dataset": ["ni", "cu"], "energy": [-7.0, 7.0]}
    assert rows.fetch([7])["dataset"].to_pylist() == ["cu"]


def test_a_missing_structure_is_named(reader: Reader) -> None:
    with pytest.raises(NotFoundError, match=r"structure_id 99 \(and 1 more"):
        RowReader(reader, "structures").fetch([1, 99, 100])


def test_a_missing_place_is_a_row_of_nulls(reader: Reader) -> None:
    rows = RowReader(reader, "labels", columns=["energy", "forces"], dataset="cu")
    found = rows.take(rows.index.locate([2, 5, 4]))
    assert found.to_pylist() == [
        {"energy": None, "forces": None},
        {"energy": 5.0, "forces": vectors(2, 0.5)},
        {"energy": None, "forces": None},
    ]


def test_a_row_group_is_decoded_once(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RowReader(reader, "structures", dataset="cu")
    opened = []
    original = data_files.pq.ParquetFile.read_row_group

    def counted(self: object, number: int, **options: object) -> pa.Table:
        opened.append(number)
        return original(self, number, **options)

    monkeypatch.setattr(data_files.pq.ParquetFile, "read_row_group", counted)
    rows.fetch(list(range(FRAMES)))
    assert len(rows.index.groups) > 5
    assert sorted(opened) == list(range(len(rows.index.groups)))
    rows.fetch([3, 4])
    assert len(opened) == len(rows.index.groups)


def test_memory_is_bounded_by_the_cache(reader: Reader) -> None:
    whole = RowReader(reader, "structures")
    whole.fetch(list(range(FRAMES)))
    most = whole.cached_bytes // 3
    rows = RowReader(reader, "structures", cache_bytes=most)
    for identity in range(FRAMES):
        rows.fetch([identity])
        assert 0 < rows.cached_bytes <= most


def test_a_row_group_larger_than_the_cache_is_read_all_the_same(reader: Reader) -> None:
    rows = RowReader(reader, "structures", cache_bytes=0)
    assert rows.fetch([5, 6])["structure_id"].to_pylist() == [5, 6]


def test_pickled_it_holds_nothing_decoded(reader: Reader) -> None:
    rows = RowReader(reader, "structures")
    before = len(pickle.dumps(rows))
    expected = rows.fetch([9, 1])
    assert len(pickle.dumps(rows)) == before
    again = pickle.loads(pickle.dumps(rows))
    assert again.cached_bytes == 0
    assert again.fetch([9, 1]).equals(expected)
