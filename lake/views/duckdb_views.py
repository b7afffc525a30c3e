"""A DuckDB view per table, and the long views over them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from schemas import TABLES, Column, Table, duckdb_type

if TYPE_CHECKING:
    import duckdb

# The long views, each with the tables it reads.
LONG_VIEWS = {
    "labelled": ("structures", "labels"),
    "atoms": ("structures",),
    "atom_forces": ("labels",),
    "force_errors": ("labels", "predictions"),
    "training_curves": ("runs", "training_history"),
    "model_runs": ("models", "runs"),
}

RELATIONS = (*TABLES, *LONG_VIEWS)


def relations_in(sql: str) -> list[str]:
    """The tables and views a statement may mean, tables first: every known name it contains."""
    words = set(re.findall(r"\w+", sql.lower()))
    views = [view for view in LONG_VIEWS if view in words]
    needed = {table for view in views for table in LONG_VIEWS[view]} | words
    return [*(table for table in TABLES if table in needed), *views]


def create_views(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, str],
    names: Iterable[str] = RELATIONS,
) -> None:
    """Make views in a DuckDB database.

    Parameters
    ----------
    tables
        The statement that reads each table named in `names`; see `table_sql`.
    names
        Tables and long views; a long view comes after the tables it reads.
    """
    names = list(names)
    if any(name in LONG_VIEWS for name in names):
        connection.execute(_symbol_macro())
    for name in names:
        query = view_sql(name) if name in LONG_VIEWS else tables[name]
        connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {query}')


@cache
def view_sql(name: str) -> str:
    """The statement behind a long view, with its header."""
    return files("lake").joinpath("views", f"{name}.sql").read_text("utf-8")


def table_sql(table: Table, urls: Sequence[str], lacking: Sequence[Column] = ()) -> str:
    """A statement that reads a table from its data files, columns as declared.

    Parameters
    ----------
    urls
        The files.
    lacking
        Columns that some of them may lack, NULL there. DuckDB then looks into every file before it
        reads the first, also into those of partitions that are not asked for.
    """
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    if not urls:
        return f"SELECT {_typed_nulls(table.columns)} WHERE FALSE"
    listed = ", ".join("'" + url.replace("'", "''") + "'" for url in urls)
    options = "hive_partitioning = false"
    if table.partition:
        types = ", ".join(f"'{c}': VARCHAR" for c in table.partition)
        options = f"hive_partitioning = true, hive_types = {{{types}}}"
    if not lacking:
        return f"SELECT {columns} FROM read_parquet([{listed}], {options})"
    # The part without rows gives columns that no file has, with their types.
    return (
        f"SELECT {columns} FROM (FROM read_parquet([{listed}], {options}, union_by_name = true) "
        f"UNION ALL BY NAME SELECT {_typed_nulls(lacking)} WHERE FALSE)"
    )


def _typed_nulls(columns: Iterable[Column]) -> str:
    return ", ".join(f'NULL::{duckdb_type(c.type)} AS "{c.name}"' for c in columns)


@cache
def _symbol_macro() -> str:
    from ase.data import chemical_symbols

    listed = ", ".join(f"'{symbol}'" for symbol in chemical_symbols)
    return f"CREATE OR REPLACE MACRO chemical_symbol(number) AS ([{listed}])[number + 1]"
