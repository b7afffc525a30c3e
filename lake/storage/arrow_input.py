"""Files of a lake as Arrow reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pyarrow as pa

from lake.storage.storage import Storage
from lake.storage.table_file import TableFile


@contextmanager
def open_parquet_input(storage: Storage, path: str) -> Iterator[TableFile]:
    """A data file; read it with ``use_threads=storage.is_local``.

    A thread of Arrow that holds a Python file may still be there when the interpreter ends; asking
    for its lock then aborts the process ("terminate called without an active exception", 1 in 20
    runs of a command under load). So Arrow opens local files itself, and others are read in the
    thread that asks.

    Raises
    ------
    NotFoundError, StorageError
        As `Storage.open_input` does.
    """
    with closing(storage.open_input(path)) as stream:
        own = pa.OSFile(storage.url(path)) if storage.is_local else pa.PythonFile(stream, mode="r")
        with own, TableFile(own, path, pre_buffer=False) as parquet:
            yield parquet
