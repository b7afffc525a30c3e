"""A DuckDB file of views over one version of the lake, for any DuckDB client."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from lake.errors import InvalidInputError, StorageError
from lake.exports.output_file import finished_path
from lake.reader import Reader
from lake.version import __version__
from lake.views.duckdb_views import RELATIONS, create_views
from schemas import TABLES

# The oldest format that is still written, so that clients of any age open the file.
STORAGE_VERSION = "v1.0.0"


def export_duckdb(reader: Reader, path: str) -> None:
    """Write a small DuckDB file of views over one version of the lake.

    The data stay in the lake; the views name its files by absolute path or URL. The table
    ``lake_info`` says which lake and version they show. For a lake in an object store the client
    needs its extension httpfs and the credentials.

    Raises
    ------
    InvalidInputError
        There is something at `path` that no such export made.
    StorageError
        No file can be made at `path`.
    """
    import duckdb

    if Path(path).exists() and not is_export(path):
        raise InvalidInputError(
            f"{path} exists and is not a file that 'atomlake export duckdb' made. Expected a new "
            "name, or an earlier export to replace. Choose another name."
        )
    with finished_path(path) as temporary, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if not reader.storage.is_local:
            from lake.storage.object_files import register

            register(connection, reader.storage)  # DuckDB looks at the files of a new view
        quoted = str(temporary).replace("'", "''")
        try:
            connection.execute(f"ATTACH '{quoted}' AS export (STORAGE_VERSION '{STORAGE_VERSION}')")
        except duckdb.IOException as error:
            raise StorageError(
                f"{path}: no file can be made there. Expected a folder that exists, with room, "
                "where you may write. Nothing was written; choose another."
            ) from error
        connection.execute("USE export")
        create_views(connection, {name: reader.table_sql(name) for name in TABLES}, RELATIONS)
        connection.execute(
            "CREATE TABLE lake_info AS SELECT $uri AS uri, $version::BIGINT AS version, "
            "$exported_at::TIMESTAMP AS exported_at, $code_version AS code_version",
            {
                "uri": reader.storage.uri,
                "version": reader.state.version,
                # UTC, without its zone: with one, DuckDB's Python client would need pytz.
                "exported_at": datetime.now(UTC).replace(tzinfo=None),
                "code_version": __version__,
            },
        )
        connection.execute("USE memory")
        connection.execute("DETACH export")


def is_export(path: str) -> bool:
    """Whether a file is one that `export_duckdb` made."""
    import duckdb

    try:
        with duckdb.connect(path, read_only=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM duckdb_tables() WHERE table_name = 'lake_info'"
            ).fetchall()
    except duckdb.Error:
        return False
    return bool(found)
