"""Object stores for DuckDB, whose wheel cannot read them: through fsspec, by obstore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lake.object_storage import obstore_options
from lake.storage import Storage

if TYPE_CHECKING:
    import duckdb


def register(connection: duckdb.DuckDBPyConnection, storage: Storage) -> None:
    """Let a connection read the URLs of a lake in an object store."""
    from obstore.fsspec import FsspecStore

    scheme = storage.uri.partition("://")[0]
    filesystem = FsspecStore(cast(Any, scheme), **obstore_options(storage.options))
    connection.register_filesystem(cast(Any, filesystem))
