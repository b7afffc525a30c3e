"""Object stores for DuckDB, whose wheel cannot read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lake.storage.read_only_files import ReadOnlyFiles
from lake.storage.storage import Storage

if TYPE_CHECKING:
    import duckdb

    from lake.storage.object_storage import ObjectStorage


def register(connection: duckdb.DuckDBPyConnection, storage: Storage) -> None:
    """Let a connection read the URLs of a lake in an object store, and not write there."""
    files = ReadOnlyFiles(cast("ObjectStorage", storage))
    connection.register_filesystem(cast(Any, files))
