"""Every statement in a file: its header says what it takes and what it gives."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

import lake
import queries
from queries.losses import relations as losses
from queries.statements.session import Session
from queries.statements.statement import Statement, _parameters, read_statement

VALUES = {
    "dataset": "cu",
    "label_set": "dft",
    "two_regions": "legacy-2",
    "three_regions": "legacy-3",
    "limit": None,
    "scheme": "legacy-2",
    "models": ["m1"],
    "layer": "last",
    "model_ids": [7],
    "n_members": 1,
    "n_features": 8,
}
# What statements read that no statement makes.
GIVEN = {
    "chosen_structures": [("structure_id", pa.int64())],
    "wanted_structures": [("dataset", pa.string()), ("structure_id", pa.int64())],
    "set_structures": [
        ("place", pa.int32()),
        ("set", pa.string()),
        ("dataset", pa.string()),
        ("structure_id", pa.int64()),
        ("is_candidate", pa.bool_()),
    ],
    "atom_variances": [
        ("structure_id", pa.int64()),
        ("number", pa.int16()),
        ("variance", pa.float64()),
    ],
}
EVERY = [
    read_statement(file.parent.name, file.stem)
    for file in sorted(Path(queries.__path__[0]).rglob("*.sql"))
]
# Those over tables of the lake, and over what a comparison of losses makes of them.
FILES = [
    *Path(queries.__path__[0]).glob("losses/*.sql"),
    *Path(queries.__path__[0]).glob("errors/*.sql"),
]
NAMES = {file.stem for file in FILES} | set(losses.VIEWS)
STATEMENTS = [statement for statement in EVERY if statement.name in NAMES]
every = pytest.mark.parametrize("statement", EVERY, ids=lambda s: s.name)
statements = pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.name)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Everything that statements read, made from a lake that holds nothing."""
    empty = lake.create(str(tmp_path_factory.mktemp("empty") / "lake"))
    session = Session(empty.reader, (*losses.SOURCES, "embeddings"), VALUES)
    for name, columns in GIVEN.items():
        session.add_rows(name, pa.schema(columns).empty_table(), "")
    for name in (*losses.ERRORS, "mean_prediction_sums"):
        session.keep(losses.statement(name))
    for name in losses.VIEWS:
        session.keep(read_statement("views", name))
    for name in losses.RUNS:
        session.keep(losses.statement(name))
    return session


def body(statement: Statement) -> str:
    return "\n".join(line for line in statement.text.splitlines() if not line.startswith("--"))


@statements
def test_the_header_names_the_columns_and_their_types(
    statement: Statement, session: Session
) -> None:
    values = {p.name: VALUES[p.name] for p in statement.parameters}
    given = session._connection.sql(statement.text, params=values or None)
    found = dict(zip(given.columns, map(str, given.types), strict=True))
    assert found == {column.name: column.type for column in statement.header.columns}


@every
def test_the_header_names_the_parameters(statement: Statement) -> None:
    used = list(dict.fromkeys(re.findall(r"\$(\w+)", body(statement))))
    assert sorted(used) == sorted(p.name for p in statement.parameters)


@every
def test_the_grain_names_columns(statement: Statement) -> None:
    names = {column.name for column in statement.header.columns}
    not_kept = {"atom", "pattern"} if statement.name in ("atom_errors", "curve_keys") else set()
    assert set(statement.header.grain) <= names | not_kept


@every
def test_it_is_ordered_and_only_one(statement: Statement) -> None:
    assert ";" not in body(statement)
    views = {file.stem for file in Path(queries.__path__[0]).glob("views/*.sql")}
    is_read_by_others = statement.name in views | {"atom_errors", "force_differences"}
    assert is_read_by_others or re.search(r"\nORDER BY .*\Z", statement.text, re.DOTALL)


@statements
def test_floats_have_a_unit_unless_they_are_ratios_or_of_a_run(statement: Statement) -> None:
    of_runs = {"epoch", "value", "last_epoch", "best_epoch"}
    for column in statement.header.columns:
        if column.type == "DOUBLE" and column.unit is None:
            is_fraction = re.search("ratio|variation|variance", column.name) is not None
            is_of_run = (
                column.name in of_runs or "_loss" in column.name or "_validation_" in column.name
            )
            assert (
                is_fraction or is_of_run or statement.name in ("ratios_by_loss", "training_summary")
            )


def test_every_statement_is_asked() -> None:
    asked = {*losses.ERRORS, *losses.VIEWS, *losses.RUNS, *losses.TABLES}
    asked |= {"coverage", "mean_prediction_sums"}
    there = {file.stem for file in Path(queries.__path__[0]).glob("losses/*.sql")}
    assert asked == there | set(losses.VIEWS)


def test_a_header_that_describes_no_parameter_is_refused() -> None:
    text = "-- What.\n-- One row per a.\n-- params:\n--   a\n-- columns:\n--   a BIGINT it"
    with pytest.raises(ValueError, match="describes no parameter"):
        list(_parameters("x", text))
