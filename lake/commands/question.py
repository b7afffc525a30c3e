"""One SQL question to a lake, as a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

    from lake.lake import Lake

Ask = Callable[[str], "pl.DataFrame"]


def asker(lk: Lake, *, safe: bool) -> Ask:
    """A function that answers SQL; unless `safe` is False it can neither write nor read files.

    It raises InvalidInputError for SQL that DuckDB refuses.
    """
    import duckdb

    from lake.sandbox import sandbox

    connection = sandbox(lk) if safe else lk.connect()

    def ask(sql: str) -> pl.DataFrame:
        try:
            relation = connection.sql(sql)
            # Statements such as SET answer nothing.
            return pl_frame() if relation is None else relation.pl()
        except duckdb.Error as error:
            raise InvalidInputError(str(error)) from error

    def pl_frame() -> pl.DataFrame:
        import polars as pl

        return pl.DataFrame()

    return ask
