"""Statements over one version of a lake, each able to read what those before it made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from lake.reader import Reader
from queries.statements.statement import Statement

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


_PARAMETER = re.compile(r"\$(\w+)")


class Session:
    """A DuckDB connection over a lake, which remembers the SQL that ran.

    Parameters
    ----------
    reader
        The version of the lake.
    tables
        The tables of the lake that the statements read.
    parameters
        Values of the statements' parameters, by name.

    Attributes
    ----------
    statements
        What ran, by name, in order; values of parameters stand in comments above.
    """

    def __init__(
        self, reader: Reader, tables: Iterable[str], parameters: Mapping[str, Any]
    ) -> None:
        self._connection = reader.connect(tables)
        self._parameters = dict(parameters)
        self.statements: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def add_rows(self, name: str, rows: pa.Table, statement: str) -> None:
        """Make a relation of rows that `statement` gave elsewhere."""
        self._connection.register("rows_given", rows)
        self._connection.execute(f'CREATE TEMP TABLE "{name}" AS SELECT * FROM rows_given')
        self._connection.unregister("rows_given")
        self.statements[name] = statement

    def keep(self, statement: Statement) -> None:
        """Make a relation of what a statement gives, for later statements."""
        self._execute(f'CREATE TEMP TABLE "{statement.name}" AS {statement.text}', statement)

    def define(self, statement: Statement) -> None:
        """Let later statements read what a statement gives, without keeping it.

        A view has no parameters, so their values stand in it.
        """
        values = self._values(statement)
        text = _PARAMETER.sub(lambda found: sql_literal(values[found[1]]), statement.text)
        self._connection.execute(f'CREATE TEMP VIEW "{statement.name}" AS {text}')
        self.statements[statement.name] = _with_values(statement, values)

    def ask(self, statement: Statement) -> pl.DataFrame:
        """What a statement gives."""
        values = self._values(statement)
        self.statements[statement.name] = _with_values(statement, values)
        frame: pl.DataFrame = self._connection.sql(statement.text, params=values or None).pl()
        return frame

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Add numbers one after the other, so that sums are the same each time, to the last bit.

        Several threads add up parts, as they come to them.
        """
        setting = self._connection.sql("SELECT CURRENT_SETTING('threads')").fetchall()
        self._connection.execute("SET threads = 1")
        try:
            yield
        finally:
            self._connection.execute(f"SET threads = {setting[0][0]}")

    def rows(self, name: str, order_by: str) -> pl.DataFrame:
        """All rows of a relation that was kept."""
        text = f'SELECT * FROM "{name}" ORDER BY {order_by}'
        frame: pl.DataFrame = self._connection.sql(text).pl()
        return frame

    def _execute(self, text: str, statement: Statement) -> None:
        values = self._values(statement)
        self._connection.execute(text, values or None)
        self.statements[statement.name] = _with_values(statement, values)

    def _values(self, statement: Statement) -> dict[str, Any]:
        return {p.name: self._parameters[p.name] for p in statement.parameters}


def _with_values(statement: Statement, values: Mapping[str, Any]) -> str:
    said = "".join(f"-- ${name} = {sql_literal(value)}\n" for name, value in values.items())
    return said + statement.text


def sql_literal(value: object) -> str:
    """A value as SQL writes it.

    Examples
    --------
    >>> sql_literal(["it's", None, 3])
    "['it''s', NULL, 3]"
    """
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(sql_literal, value))}]"
    return str(value)
