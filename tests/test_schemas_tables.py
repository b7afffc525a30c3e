"""What every declared table must be."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from deltalake import Schema

from schemas import TABLES, Column, Table, delta_field, duckdb_type

UNITS = {"Å", "eV", "eV/Å", "eV/Å³", "eV/atom", "K", "fs", "byte"}
COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns]
tables = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
columns = pytest.mark.parametrize(
    ("table", "column"), COLUMNS, ids=[f"{table.name}.{column.name}" for table, column in COLUMNS]
)


@tables
def test_column_names_are_unique(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names))


@tables
def test_grain_partition_and_order_name_columns(table: Table) -> None:
    names = {column.name for column in table.columns}
    assert table.grain
    assert {*table.grain, *table.partition, *table.sort_by} <= names


@tables
def test_a_table_sorted_for_reading_does_not_sort_by_its_folders(table: Table) -> None:
    assert table.sort_by
    assert not set(table.sort_by) & set(table.partition)


@tables
def test_columns_that_identify_a_row_are_required(table: Table) -> None:
    optional = [name for name in table.grain if not table.column(name).required]
    if table.name == "rejects":  # -1 stands for the file as a whole
        optional.remove("frame")
    assert optional == []


@tables
def test_partition_columns_are_required_text(table: Table) -> None:
    for name in table.partition:
        assert table.column(name).required
        assert table.column(name).type == pa.string()


@tables
def test_per_atom_columns_stand_beside_a_number_of_atoms(table: Table) -> None:
    if table.per_atom:
        assert table.column("n_atoms").required


@tables
def test_documentation_is_a_sentence(table: Table) -> None:
    assert table.doc
    assert table.doc.endswith(".")


@columns
def test_a_column_is_documented(table: Table, column: Column) -> None:
    assert column.doc
    assert column.doc.endswith(".")


@columns
def test_a_unit_is_one_of_the_lake(table: Table, column: Column) -> None:
    assert column.unit is None or column.unit in UNITS


@columns
def test_duckdb_has_the_type(table: Table, column: Column) -> None:
    assert duckdb_type(column.type)


def test_columns_of_one_name_mean_one_thing() -> None:
    types: dict[str, set[tuple[pa.DataType, str | None]]] = {}
    for _, column in COLUMNS:
        types.setdefault(column.name, set()).add((column.type, column.unit))
    assert [name for name, found in types.items() if len(found) > 1] == []


def test_what_is_pointed_at_is_committed_first() -> None:
    order = list(TABLES)
    assert order.index("labels") < order.index("structures")
    assert order.index("regions") < order.index("structures")
    assert order[-1] == "commits"


@tables
def test_a_column_is_called_in_delta_what_delta_rs_calls_it(table: Table) -> None:
    theirs = json.loads(Schema.from_arrow(table.arrow).to_json())["fields"]
    assert [delta_field(field.name, field.type) for field in table.arrow] == theirs


def test_a_type_no_table_uses_is_refused() -> None:
    for name_of in (duckdb_type, lambda kind: delta_field("a", kind)):
        with pytest.raises(TypeError, match="no table uses"):
            name_of(pa.uint8())


def test_a_column_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        TABLES["labels"].column("stres")
