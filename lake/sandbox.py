"""SQL that can do no harm: it reads one version of the lake and nothing else, and writes nothing.

Two walls, because neither is enough. DuckDB may open only the files of the lake, but it may open
those to write as well. And a statement must only select, all the way down: since DuckDB 2.0
``WITH a AS (COPY … TO 'file') FROM a`` counts as a SELECT, and would overwrite a data file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lake.errors import InvalidInputError
from lake.reader import Reader
from lake.views.duckdb_views import RELATIONS, relations_in
from schemas import TABLES

if TYPE_CHECKING:
    import duckdb

# What a statement that only selects is made of, in the tree DuckDB's parser makes.
SELECTING = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
# These take a statement as text or as a tree, past the look we take at it.
SMUGGLING = re.compile(r"json_execute_serialized_sql|query|query_table", re.IGNORECASE)
EXPLAIN = re.compile(r"\s*EXPLAIN(\s+ANALYZE)?\s", re.IGNORECASE)


class Sandbox:
    """A version of the lake that answers questions and does nothing else."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._connections: dict[tuple[str, ...], duckdb.DuckDBPyConnection] = {}

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """The answer to one SELECT, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN.

        Raises
        ------
        InvalidInputError
            The statement is none of these, or writes on the way.
        """
        names = tuple(relations_in(query)) or RELATIONS
        if names not in self._connections:
            self._connections[names] = self._locked(names)
        connection = self._connections[names]
        check_only_selects(connection, query)
        return connection.sql(query)

    def _locked(self, names: tuple[str, ...]) -> duckdb.DuckDBPyConnection:
        connection = self._reader.connect(names)
        urls = [url for name in names if name in TABLES for url in self._reader.urls(name)]
        listed = ", ".join("'" + url.replace("'", "''") + "'" for url in urls)
        connection.execute(f"SET allowed_paths = [{listed}]")
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection


def check_only_selects(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse anything but one statement that selects and does nothing else.

    Raises
    ------
    InvalidInputError
        It is something else.
    """
    asked = EXPLAIN.sub("", query, count=1) if EXPLAIN.match(query) else query
    answer = connection.sql("SELECT json_serialize_sql($asked)", params={"asked": asked})
    tree = json.loads(answer.fetchall()[0][0])
    if tree["error"] and tree["error_type"] == "parser":
        raise InvalidInputError(tree["error_message"])
    if tree["error"] or len(tree["statements"]) != 1 or any(_forbidden(tree)):
        raise InvalidInputError(
            "The statement does more than select. Expected one SELECT, DESCRIBE, SUMMARIZE, SHOW "
            "or EXPLAIN (a PIVOT names its values with IN). To let it write, or read other files, "
            "add --unsafe."
        )


def _forbidden(tree: Any) -> Iterator[bool]:
    """Whether each part of a statement does something else than select."""
    if isinstance(tree, list):
        for part in tree:
            yield from _forbidden(part)
    elif isinstance(tree, dict):
        kind = str(tree.get("type"))
        yield kind.endswith("_NODE") and kind not in SELECTING
        yield SMUGGLING.fullmatch(str(tree.get("function_name"))) is not None
        for part in tree.values():
            yield from _forbidden(part)
