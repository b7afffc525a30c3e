"""Whether the rows of a lake are what the declarations of its tables promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from lake.checks.problem import Problem
from lake.reader import Reader
from schemas import TABLES, Column, Table
from schemas.types import VECTORS

MEMORY_LIMIT = "1GB"
SHOWN_PLACES = 3
POINTING_AT_STRUCTURES = ("labels", "predictions", "embeddings", "regions", "ood_scores")


@dataclass(frozen=True)
class Rule:
    """A statement that finds the ``place`` of every row of a table that breaks a promise."""

    table: str
    what: str
    query: str
    reads: tuple[str, ...]


def check_rows(reader: Reader, readable: Iterable[str], *, deep: bool) -> list[Problem]:
    """Problems with the rows of those tables whose files can be read.

    Parameters
    ----------
    deep
        Look into the lists of per-atom values too.
    """
    tables = set(readable)
    problems = []
    with reader.connect(tables) as connection, TemporaryDirectory() as folder:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{folder}'")
        connection.execute("SET preserve_insertion_order = false")
        for rule in rules(deep=deep):
            if tables.issuperset(rule.reads):
                problems += _broken(connection, rule)
    return problems


def rules(*, deep: bool) -> Iterator[Rule]:
    """Every promise about rows: from the declarations of tables, and ``lake/checks/rules``."""
    for table in TABLES.values():
        yield from _required(table, deep=deep)
        yield _unique(table)
        if deep:
            yield from _lengths(table)
    for name in POINTING_AT_STRUCTURES:
        yield _pointing(name)
    for file in sorted(
        files("lake").joinpath("checks", "rules").iterdir(), key=lambda file: file.name
    ):
        query = file.read_text("utf-8")
        reads = tuple(name for name in TABLES if f"FROM {name}" in query or f"JOIN {name}" in query)
        yield Rule(
            file.name.partition("__")[0], query.splitlines()[0].removeprefix("-- "), query, reads
        )


def _broken(connection: duckdb.DuckDBPyConnection, rule: Rule) -> list[Problem]:
    counted = (
        f"SELECT COUNT(*), LIST(place ORDER BY place) FILTER (WHERE n <= {SHOWN_PLACES}) "
        f"FROM (SELECT place, ROW_NUMBER() OVER () AS n FROM ({rule.query}))"
    )
    try:
        found = connection.execute(counted).fetchone()
    except duckdb.Error as error:
        return [Problem(rule.table, rule.table, f"the rows cannot be read: {error}")]
    if found is None or not found[0]:
        return []
    number, places = found
    more = f" and {number - len(places):,} more" if number > len(places) else ""
    return [Problem(rule.table, "; ".join(places) + more, rule.what)]


def _place(table: Table) -> str:
    parts = [f"COALESCE(CAST(\"{name}\" AS VARCHAR), 'NULL')" for name in table.grain]
    return " || ', ' || ".join(parts)


def _required(table: Table, *, deep: bool) -> Iterator[Rule]:
    for column in table.columns:
        is_read = deep or not pa.types.is_nested(column.type)
        if column.required and column.name not in table.partition and is_read:
            missing = f'FROM {table.name} WHERE "{column.name}" IS NULL'
            what = f"{column.name} is NULL, and it is required"
            yield Rule(
                table.name, what, f"SELECT {_place(table)} AS place {missing}", (table.name,)
            )


def _unique(table: Table) -> Rule:
    grain = ", ".join(f'"{name}"' for name in table.grain)
    query = (
        f"SELECT {_place(table)} AS place FROM {table.name} GROUP BY {grain} HAVING COUNT(*) > 1"
    )
    what = f"more than one row with the same {', '.join(table.grain)}"
    return Rule(table.name, what, query, (table.name,))


def _lengths(table: Table) -> Iterator[Rule]:
    for column in table.columns:
        if column.per_atom:
            wrong = " OR ".join(f"LEN({each}) <> n_atoms" for each in _lists(column))
            query = (
                f"SELECT {_place(table)} AS place FROM {table.name} "
                f'WHERE "{column.name}" IS NOT NULL AND ({wrong})'
            )
            what = f"{column.name} has another length than n_atoms"
            yield Rule(table.name, what, query, (table.name,))


def _lists(column: Column) -> list[str]:
    if column.type == VECTORS:
        return [f'COALESCE("{column.name}".{axis}, [])' for axis in "xyz"]
    return [f'"{column.name}"']


def _pointing(name: str) -> Rule:
    query = (
        f"SELECT t.dataset || ', structure ' || t.structure_id AS place FROM {name} AS t "
        "LEFT JOIN structures AS s ON t.dataset = s.dataset AND t.structure_id = s.structure_id "
        "WHERE s.n_atoms IS DISTINCT FROM t.n_atoms"
    )
    what = "the structure is not in structures, or has another number of atoms there"
    return Rule(name, what, query, (name, "structures"))
