"""A DuckDB view per table, and the long views over them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from schemas import TABLES, Table, duckdb_type

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
    urls: Mapping[str, Sequence[str]],
    names: Iterable[str] = RELATIONS,
) -> None:
    """Make views in a DuckDB database.

    Parameters
    ----------
    urls
        Data files of each table named in `names`.
    names
        Tables and long views; a long view comes after the tables it reads.
    """
    names = list(names)
    if any(name in LONG_VIEWS for name in names):
        connection.execute(_symbol_macro())
    for name in names:
        query = view_sql(name) if name in LONG_VIEWS else table_sql(TABLES[name], urls[name])
        connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {query}')


@cache
def view_sql(name: str) -> str:
    """The statement behind a long view, with its header."""
    return files("lake").joinpath("views", f"{name}.sql").read_text("utf-8")


def table_sql(table: Table, urls: Sequence[str]) -> str:
    """A statement that reads a table from its data files, columns as declared."""
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    if not urls:
        typed = ", ".join(f'NULL::{duckdb_type(c.type)} AS "{c.name}"' for c in table.columns)
        return f"SELECT {typed} WHERE FALSE"
    listed = ", ".join("'" + url.replace("'", "''") + "'" for url in urls)
    if not table.partition:
        return f"SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false)"
    types = ", ".join(f"'{c}': VARCHAR" for c in table.partition)
    return (
        f"SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = true, "
        f"hive_types = {{{types}}})"
    )


@cache
def _symbol_macro() -> str:
    from ase.data import chemical_symbols

    listed = ", ".join(f"'{symbol}'" for symbol in chemical_symbols)
    return f"CREATE OR REPLACE MACRO chemical_symbol(number) AS ([{listed}])[number + 1]"
