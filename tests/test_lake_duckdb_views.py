"""The long views are what their headers say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lake_samples import append, ingest, label, structure

import lake
from lake.lake import Lake
from lake.views.duckdb_views import LONG_VIEWS, view_sql


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
    header = view_sql(name).partition("-- columns:\n")[2].partition("\nSELECT")[0]
    declared = [tuple(re.split(r"\s+", line)[1:3]) for line in header.splitlines()]
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
