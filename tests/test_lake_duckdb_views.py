"""The long views are what their headers say."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake_samples import append, ingest, label, structure

import lake
from lake.lake import Lake
from lake.views.duckdb_views import LONG_VIEWS, view_sql
from lake.views.view_header import ViewColumn, read_header
from schemas import TABLES


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """Structures 1 to 3 of cu: 1 with two label sets, 3 without labels; and 1 of ni."""
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, [1, 2])
    append(lk, structures=[structure(3)], labels=[label(1, label_set="emt", energy=-1.0)])
    ingest(lk, [1], "ni", source_id=2)
    return lk


@pytest.mark.parametrize("name", LONG_VIEWS)
def test_a_header_names_the_columns_of_the_view(lk: Lake, name: str) -> None:
    declared = [(column.name, column.type) for column in read_header(view_sql(name)).columns]
    found = lk.sql(f"SELECT column_name, column_type FROM (DESCRIBE {name})").fetchall()
    short = [(column, kind.partition("(")[0]) for column, kind in found]
    assert declared == short


def test_labelled_has_a_row_for_every_label_of_a_structure(lk: Lake) -> None:
    query = (
        "SELECT dataset, structure_id, label_set, energy, config_type, n_atoms, forces.x "
        "FROM labelled ORDER BY ALL"
    )
    assert lk.sql(query).fetchall() == [
        ("cu", 1, "dft", 1.0, "bulk", 2, [0.5, 0.5]),
        ("cu", 1, "emt", -1.0, "bulk", 2, [0.5, 0.5]),
        ("cu", 2, "dft", 2.0, "bulk", 2, [0.5, 0.5]),
        ("ni", 1, "dft", 1.0, "bulk", 2, [0.5, 0.5]),
    ]


def test_a_header_tells_grain_meaning_and_units() -> None:
    header = read_header(view_sql("force_errors"))
    assert header.doc == "Error of every model's force on every atom, against every label set."
    assert header.grain == ("dataset", "structure_id", "label_set", "model", "atom")
    assert header.columns[4] == ViewColumn(
        "atom", "BIGINT", None, "index of the atom in the structure, from 0"
    )
    assert header.columns[-1] == ViewColumn(
        "error_norm", "DOUBLE", "eV/Å", "norm of the error vector"
    )


@pytest.mark.parametrize("name", LONG_VIEWS)
def test_a_view_has_a_unit_wherever_it_repeats_a_column_that_has_one(name: str) -> None:
    tables = [TABLES[table] for table in LONG_VIEWS[name]]
    units = {column.name: column.unit for table in tables for column in table.columns}
    for column in read_header(view_sql(name)).columns:
        assert column.unit == units.get(column.name, column.unit), column.name


def test_a_header_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="not the header of a view"):
        read_header("-- Nothing.\n-- columns:\n--   a BIGINT  no grain\nSELECT 1 AS a")
