"""Reading one version of a lake: which files it has, and DuckDB and Polars over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast

from lake.errors import InvalidInputError, NotFoundError
from lake.log.data_files import DataFile
from lake.log.state import State, visible_files
from lake.log.table_columns import lacking_columns
from lake.storage.storage import Storage
from lake.views.duckdb_views import RELATIONS, create_views, relations_in, table_sql
from schemas import TABLES, Table

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow as pa


class Reader:
    """One version of the lake, opened for reading. It never changes."""

    def __init__(self, storage: Storage, state: State) -> None:
        self.storage = storage
        self.state = state
        self._files: dict[str, dict[str, DataFile]] = {}

    def files(self, name: str, **partition: str | None) -> list[DataFile]:
        """Data files of a table, of one partition if its columns are given."""
        table = find_table(name)
        if name not in self._files:
            self._files[name] = visible_files(self.storage, self.state, name)
        wanted = {column: value for column, value in partition.items() if value is not None}
        for column in wanted:
            if column not in table.partition:
                raise InvalidInputError(
                    f"{name} is not partitioned by {column!r}, but by "
                    f"{', '.join(table.partition) or 'nothing'}. Filter on it instead."
                )
        return [
            file
            for file in self._files[name].values()
            if all(file.partition[column] == value for column, value in wanted.items())
        ]

    def urls(self, name: str, **partition: str | None) -> list[str]:
        """What DuckDB and Polars call those files, in order of path.

        Raises
        ------
        InvalidInputError
            A file lacks a column in which every row needs a value.
        """
        return self._urls(name, self.files(name, **partition))

    def scan(self, name: str, **partition: str | None) -> pl.LazyFrame:
        """A table as a Polars LazyFrame, cut to a partition before any file is opened."""
        import polars as pl
        import pyarrow as pa

        table = find_table(name)
        urls = self.urls(name, **partition)
        if not urls:
            empty = pa.Table.from_batches([], table.arrow)
            return cast(pl.DataFrame, pl.from_arrow(empty)).lazy()
        frame = pl.scan_parquet(
            urls,
            schema=_polars_schema(table),
            missing_columns="insert",
            extra_columns="ignore",
            hive_partitioning=bool(table.partition),
            hive_schema=dict.fromkeys(table.partition, pl.String) or None,
            storage_options=dict(self.storage.options) or None,
        )
        return frame.select(table.arrow.names)

    def columns(self, name: str, files: Sequence[DataFile], columns: Sequence[str]) -> pa.Table:
        """Some columns of some data files of a table; not the partition columns."""
        import pyarrow as pa

        from lake.storage.arrow_input import open_parquet_input

        # Schema.empty_table() would import pandas where it is installed: a quarter of a second.
        parts = [pa.Table.from_batches([], find_table(name).file_arrow).select(columns)]
        for file in files:
            with open_parquet_input(self.storage, f"{name}/{file.path}") as parquet:
                parts.append(parquet.read(list(columns), use_threads=self.storage.is_local))
        return pa.concat_tables(parts)

    def table_sql(self, name: str, files: Sequence[DataFile] | None = None) -> str:
        """A statement that reads a table, or some of its data files. Raises what `urls` does."""
        table = find_table(name)
        urls = self._urls(name, self.files(name) if files is None else files)
        return table_sql(table, urls, lacking_columns(self.storage, table) if urls else ())

    def _urls(self, name: str, files: Sequence[DataFile]) -> list[str]:
        from lake.storage.arrow_input import open_parquet_input

        if files and any(c.required for c in lacking_columns(self.storage, find_table(name))):
            for file in files:
                with open_parquet_input(self.storage, f"{name}/{file.path}") as parquet:
                    parquet.require_columns()
        return sorted(self.storage.url(f"{name}/{file.path}") for file in files)

    def connect(self, names: Iterable[str] = RELATIONS) -> duckdb.DuckDBPyConnection:
        """A new DuckDB connection with a view per table and the long views."""
        import duckdb

        names = list(names)
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        if not self.storage.is_local:
            from lake.storage.object_files import register

            register(connection, self.storage)
        tables = {name: self.table_sql(name) for name in names if name in TABLES}
        create_views(connection, tables, names)
        return connection

    def sql(self, query: str, params: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """A statement over this version, with its ``$named`` parameters."""
        connection = self._connection(frozenset(relations_in(query)))
        return connection.sql(query, params=dict(params) if params else None)

    @cached_property
    def _connections(self) -> dict[frozenset[str], duckdb.DuckDBPyConnection]:
        return {}

    def _connection(self, names: frozenset[str]) -> duckdb.DuckDBPyConnection:
        if names not in self._connections:
            ordered = [name for name in RELATIONS if name in names]
            self._connections[names] = self.connect(ordered)
        return self._connections[names]


@cache
def _polars_schema(table: Table) -> pl.Schema:
    """The columns that stand in the data files of a table, as Polars calls their types."""
    import polars as pl
    import pyarrow as pa

    rows = pl.from_arrow(pa.Table.from_batches([], table.file_arrow))
    return cast(pl.DataFrame, rows).schema


def find_table(name: str) -> Table:
    """The table called `name`; NotFoundError lists the near ones."""
    if name not in TABLES:
        raise NotFoundError.among("table", name, TABLES)
    return TABLES[name]
