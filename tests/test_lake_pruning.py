"""Only the files and columns a question needs are read: seen in the query plans."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from lake_samples import append, label, prediction, structure
from plan_readings import columns, scans

import lake
from lake.lake import Lake
from lake.rows.row_reader import RowReader
from schemas import TABLES

DATASETS = ("cu", "ni", "ag")
MODELS = ("m1", "m2")


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    lk = lake.create(str(tmp_path / "lake"))
    append(
        lk,
        structures=[structure(i, dataset) for dataset in DATASETS for i in range(3)],
        labels=[label(i, dataset) for dataset in DATASETS for i in range(3)],
        predictions=[
            prediction(i, dataset, model=model)
            for dataset in DATASETS
            for model in MODELS
            for i in range(3)
        ],
    )
    return lk


@pytest.mark.parametrize(
    ("query", "files", "read"),
    [
        ("SELECT n_atoms FROM structures WHERE dataset = 'cu'", ["1/3"], {"n_atoms"}),
        ("SELECT energy FROM predictions WHERE model = 'm2'", ["3/6"], {"energy"}),
        (
            "SELECT energy FROM predictions WHERE model = 'm2' AND dataset IN ('cu', 'ag')",
            ["2/6"],
            {"energy"},
        ),
    ],
)
def test_duckdb_reads_the_files_and_columns_it_needs(
    lk: Lake, query: str, files: list[str], read: set[str]
) -> None:
    found = scans(lk, query)
    assert [scan["Scanning Files"] for scan in found] == files
    assert columns(found[0]) == read


def test_the_view_atoms_hands_a_filter_on_to_the_files(lk: Lake) -> None:
    (scan,) = scans(lk, "SELECT max(x) FROM atoms WHERE dataset = 'ni'")
    assert scan["Scanning Files"] == "1/3"
    assert columns(scan).isdisjoint({"info", "arrays", "cell", "formula"})


def test_the_view_atom_forces_hands_a_filter_on_to_the_files(lk: Lake) -> None:
    (scan,) = scans(lk, "SELECT max(x) FROM atom_forces WHERE dataset = 'ni'")
    assert scan["Scanning Files"] == "1/3"
    assert columns(scan).isdisjoint({"energy", "stress"})


def test_the_view_force_errors_hands_filters_on_to_both_tables(lk: Lake) -> None:
    found = scans(
        lk, "SELECT max(error_norm) FROM force_errors WHERE dataset = 'ni' AND model = 'm1'"
    )
    assert sorted(scan["Scanning Files"] for scan in found) == ["1/3", "1/6"]
    assert all(columns(scan).isdisjoint({"energy", "stress", "error"}) for scan in found)


def test_the_view_labelled_hands_a_filter_on_to_both_tables(lk: Lake) -> None:
    found = scans(lk, "SELECT max(energy / n_atoms) FROM labelled WHERE dataset = 'ni'")
    assert [scan["Scanning Files"] for scan in found] == ["1/3", "1/3"]
    assert all(columns(scan).isdisjoint({"forces", "positions", "arrays"}) for scan in found)


@pytest.mark.parametrize("dataset", [None, "cu"])
def test_polars_reads_the_files_and_columns_it_needs(lk: Lake, dataset: str | None) -> None:
    frame = lk.scan("predictions", dataset=dataset)
    if dataset is None:
        frame = frame.filter(pl.col("dataset") == "cu")
    plan = frame.filter(pl.col("model") == "m1").select("energy").explain()
    assert "dataset=cu/model=m1" in plan
    assert "dataset=cu/model=m2" not in plan
    assert "dataset=ni" not in plan
    n_columns = len(TABLES["predictions"].columns)
    read = re.search(rf"PROJECT (\d+)/{n_columns} COLUMNS", plan)
    assert read is not None
    assert int(read[1]) <= 3  # energy and the two partition columns, which are in no file


def test_the_row_reader_opens_only_the_partition(lk: Lake) -> None:
    rows = RowReader(lk.reader, "predictions", dataset="cu", model="m1")
    assert {group.path.rpartition("/")[0] for group in rows.index.groups} == {
        "predictions/dataset=cu/model=m1"
    }
