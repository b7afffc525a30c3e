"""A lake: one versioned place for structures, labels, predictions, latents and training curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lake.errors import InvalidInputError, NotFoundError
from lake.reader import Reader
from lake.state import State, newest_state, read_state
from lake.storage import Storage, open_storage
from lake.transaction import Changes, Operation, commit
from schemas import TABLES

if TYPE_CHECKING:
    import duckdb
    import polars as pl


class Lake:
    """A lake, at its newest version or at a past one.

    Made by `lake.open`, `lake.create` and `Lake.at`. A lake that was not opened at a version
    follows what others commit: every call reads the newest version there is when it begins.
    """

    def __init__(self, storage: Storage, version: int | None = None) -> None:
        self.storage = storage
        self._pinned = version
        self._reader: Reader | None = None

    def __repr__(self) -> str:
        return f"<lake {self.storage.uri} at version {self.version}>"

    @property
    def version(self) -> int:
        """Version of the lake that is read: the number of operations committed until then."""
        return self.reader.state.version

    @property
    def reader(self) -> Reader:
        """The version that is read now, with its files."""
        if self._pinned is None:
            state = newest_state(self.storage)
        elif self._reader is None:
            state = read_state(self.storage, self._pinned)
        else:
            return self._reader
        if self._reader is None or self._reader.state.version != state.version:
            self._reader = Reader(self.storage, state)
        return self._reader

    def at(self, version: int | str) -> Lake:
        """The lake as it was at a version or a tag.

        Raises
        ------
        NotFoundError
            There is no such version or tag.
        """
        if isinstance(version, str):
            from lake.tags import tagged_version

            version = tagged_version(self.reader, version)
        newest = newest_state(self.storage).version
        if not 0 <= version <= newest:
            raise NotFoundError(
                f"{self.storage.uri} has no version {version}. It has versions 0 to {newest}; "
                "'atomlake log' lists them."
            )
        return Lake(self.storage, version)

    def sql(self, query: str, params: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation over the lake's tables: ``.pl()``, ``.df()``, ``.arrow()``, ``.show()``.

        Parameters
        ----------
        query
            One SQL statement.
        params
            Values of its ``$named`` parameters.
        """
        return self.reader.sql(query, params)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A new DuckDB connection with a view per table, and the long views."""
        return self.reader.connect()

    def scan(self, table: str, **partition: str | None) -> pl.LazyFrame:
        """A table as a Polars LazyFrame; ``dataset="cu"`` and the like cut it to a partition."""
        return self.reader.scan(table, **partition)

    def commit(
        self,
        operation: str,
        plan: Callable[[State], Changes | None],
        *,
        arguments: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        operation_id: str | None = None,
    ) -> int | None:
        """Commit one operation; the version that holds it, or None when nothing was to be done.

        `plan` is asked for the changes on top of a version of the lake, again when another writer
        has made them wrong: see `lake.transaction`.
        """
        if self._pinned is not None:
            raise InvalidInputError(
                f"{self.storage.uri} was opened at version {self._pinned}, and the past does not "
                "change. Open the lake without a version to write."
            )
        named = {"operation_id": operation_id} if operation_id is not None else {}
        what = Operation(operation, arguments or {}, inputs or {}, **named)
        state = commit(self.storage, what, plan)
        return None if state is None else state.version


def create_lake(uri: str, storage_options: Mapping[str, str] | None = None) -> Lake:
    """Make a lake; one that is there already is opened as it is.

    Parameters
    ----------
    uri
        A folder, which may exist, or the URL of a place in an object store.
    storage_options
        What the object store needs: endpoint, region, keys.
    """
    from lake.delta_log import create_table

    storage = open_storage(uri, storage_options)
    for table in TABLES.values():  # commits is last: with it the lake is there
        create_table(storage, table)
    return Lake(storage)


def open_lake(
    uri: str,
    storage_options: Mapping[str, str] | None = None,
    *,
    version: int | str | None = None,
) -> Lake:
    """Open a lake that is there, at its newest version or at a past one.

    Raises
    ------
    NotFoundError
        There is no lake, or no such version.
    """
    lake = Lake(open_storage(uri, storage_options))
    newest_state(lake.storage)
    return lake if version is None else lake.at(version)
