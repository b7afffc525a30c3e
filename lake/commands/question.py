"""One SQL question to a lake, as a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

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
    import polars as pl

    from lake.sandbox import Sandbox

    answer: Callable[[str], Any] = Sandbox(lk.reader).sql if safe else lk.connect().sql

    def ask(sql: str) -> pl.DataFrame:
        try:
            relation = answer(sql)
            # A statement such as COPY answers nothing.
            return pl.DataFrame() if relation is None else cast(pl.DataFrame, relation.pl())
        except duckdb.Error as error:
            raise InvalidInputError(str(error)) from error
        except pl.exceptions.PolarsError as error:
            raise InvalidInputError(
                "The answer has a column of a type that cannot leave DuckDB, such as INTERVAL. "
                "Cast it, e.g. to VARCHAR."
            ) from error

    return ask
