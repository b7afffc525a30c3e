"""Rows of several data files, in the order of their table, into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import cast

import pyarrow as pa

from lake.log.data_files import DataFile, open_data_file
from lake.reader import Reader
from schemas import Table

MEMORY_LIMIT = "1GB"  # what does not fit goes to a temporary folder
_ROWS = 2048  # the fewest DuckDB hands out at once


def write_sorted(
    reader: Reader,
    table: Table,
    partition: Mapping[str, str],
    name: str,
    files: Sequence[DataFile],
) -> DataFile:
    """Write the rows of some files of one partition into one new file, sorted.

    Parameters
    ----------
    name
        The new file's own name, without folder and ending.
    """
    columns = ", ".join(f'"{column}"' for column in table.file_arrow.names)
    order = ", ".join(f'"{column}"' for column in table.sort_by)
    query = f"SELECT {columns} FROM ({reader.table_sql(table.name, files)}) ORDER BY {order}"
    with reader.connect(()) as connection, TemporaryDirectory() as folder:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{folder}'")
        found = connection.sql(query)
        batches = cast(pa.RecordBatchReader, found.to_arrow_reader(_ROWS))
        with open_data_file(reader.storage, table, partition, name) as (writer, result):
            for batch in batches:
                writer.write(pa.Table.from_batches([batch]))
    return result[0]
