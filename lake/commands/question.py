"""One SQL question to a lake, as a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from lake.commands.statements import is_blank
from lake.errors import CorruptLakeError, InvalidInputError

if TYPE_CHECKING:
    import polars as pl

    from lake.lake import Lake

Ask = Callable[[str], "pl.DataFrame"]


def asker(lk: Lake, *, safe: bool) -> Ask:
    """A function that answers SQL; unless `safe` is False it can neither write nor read files.

    It raises InvalidInputError for SQL that DuckDB refuses, CorruptLakeError where it stumbles over
    the files of the lake.
    """
    import duckdb
    import polars as pl

    from lake.sandbox import Sandbox

    answer: Callable[[str], Any] = Sandbox(lk.reader).sql if safe else lk.connect().sql

    def ask(sql: str) -> pl.DataFrame:
        if is_blank(sql):
            raise InvalidInputError(
                "The query holds no statement. Expected one, such as SELECT count(*) FROM "
                "structures."
            )
        try:
            relation = answer(sql)
            # A statement such as COPY answers nothing.
            return pl.DataFrame() if relation is None else cast(pl.DataFrame, relation.pl())
        except duckdb.Error as error:
            if _is_of_a_damaged_lake(error, lk):
                raise CorruptLakeError(
                    f"{error}. Files of the lake cannot be read. Run 'atomlake check'."
                ) from error
            raise InvalidInputError(str(error)) from error
        except pl.exceptions.PolarsError as error:
            raise InvalidInputError(
                "The answer has a column of a type that cannot leave DuckDB, such as INTERVAL. "
                "Cast it, e.g. to VARCHAR."
            ) from error

    return ask


def _is_of_a_damaged_lake(error: Exception, lk: Lake) -> bool:
    """Whether files of the lake are at fault: the message names one, or nothing at all."""
    import duckdb

    # A garbled page may end in a bare "Out of buffer"; what a user gets wrong has a class.
    return type(error) is duckdb.Error or lk.storage.url("") in str(error)
