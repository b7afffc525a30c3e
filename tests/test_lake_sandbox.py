"""What SQL from the command line can and cannot do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb
import pytest
from lake_samples import ingest

import lake
from lake.errors import AtomlakeError, InvalidInputError
from lake.sandbox import Sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lake with one structure, beside a file that is not part of it."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    ingest(lake.create(str(tmp_path / "lake")), [1])
    return tmp_path


@pytest.fixture
def sandbox(folder: Path) -> Sandbox:
    return Sandbox(lake.open(str(folder / "lake")).reader)


def state_of(folder: Path) -> dict[str, str]:
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM structures",
        "FROM structures",
        "WITH s AS (FROM structures) SELECT n_atoms FROM s",
        "SELECT n_atoms FROM structures UNION ALL SELECT 1",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) FROM t",
        "DESCRIBE structures",
        "SUMMARIZE structures",
        "SHOW TABLES",
        "EXPLAIN SELECT n_atoms FROM structures",
        "explain analyze FROM structures",
        "SELECT element, count(*) FROM atoms GROUP BY ALL",
        "PIVOT structures ON config_type IN ('bulk') USING count(*)",
        "-- a comment\nSELECT 1;",
    ],
)
def test_questions_are_answered(sandbox: Sandbox, query: str) -> None:
    assert sandbox.sql(query).fetchall()


ATTACKS = [
    "COPY (SELECT 1 AS a) TO '{data}' (FORMAT parquet, USE_TMP_FILE false)",
    "WITH a AS (COPY (SELECT 1 AS b) TO '{data}' (FORMAT csv, USE_TMP_FILE false)) FROM a",
    "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '{data}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN ANALYZE WITH a AS (COPY (SELECT 1) TO '{data}' (USE_TMP_FILE false)) FROM a",
    "SELECT 1; COPY (SELECT 1 AS a) TO '{data}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN SELECT 1; COPY (SELECT 1 AS a) TO '{data}' (USE_TMP_FILE false)",
    "/**/ EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '{data}' (USE_TMP_FILE false)",
    "PREPARE p AS COPY (SELECT 1 AS a) TO '{data}' (USE_TMP_FILE false)",
    "FROM json_execute_serialized_sql('{tree}')",
    "FROM \"JSON_execute_serialized_sql\"('{tree}')",
    "FROM system.main.json_execute_serialized_sql('{tree}')",
    "PRAGMA json_execute_serialized_sql('{tree}')",
    "FROM query('SELECT 1')",
    "EXPORT DATABASE '{folder}/dump'",
    "COPY (SELECT 1) TO '{folder}/new.csv'",
    "ATTACH '{folder}/new.duckdb'",
    "CREATE TABLE t AS SELECT 1",
    "SET enable_external_access = true",
    "FROM read_csv('{folder}/secret.csv')",
    "FROM '{folder}/secret.csv'",
    "FROM read_text('/etc/hostname')",
    "FROM glob('{folder}/*')",
    "INSTALL httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "DROP VIEW structures",
    "FROM folder",
    "",
    ";",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_change_and_reveal_nothing(sandbox: Sandbox, folder: Path, attack: str) -> None:
    data = str(next((folder / "lake" / "structures").rglob("*.parquet")))
    evil = f"WITH a AS (COPY (SELECT 1) TO '{data}' (USE_TMP_FILE false)) FROM a"
    asked = duckdb.connect().sql("SELECT json_serialize_sql($q)", params={"q": evil})
    tree = json.loads(asked.fetchall()[0][0])
    before = state_of(folder)
    query = (
        attack.replace("{data}", data)
        .replace("{folder}", str(folder))
        .replace("{tree}", json.dumps(tree).replace("'", "''"))
    )
    # The relations of the lake are in the sandbox, so that its files are allowed.
    sandbox.sql("FROM structures").fetchall()
    with pytest.raises((AtomlakeError, duckdb.Error)):
        sandbox.sql(query + " -- structures").fetchall()
    assert state_of(folder) == before
    assert sandbox.sql("SELECT count(*) FROM structures").fetchall() == [(1,)]


def test_a_mistake_is_told_as_duckdb_tells_it(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInputError, match="syntax error"):
        sandbox.sql("SELEC n_atoms FROM structures")


def test_a_statement_that_writes_is_told_of_unsafe(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInputError, match="--unsafe"):
        sandbox.sql("CREATE TABLE t AS FROM structures")
