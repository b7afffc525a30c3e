"""Whether the files of a table are there, and what the log says they are."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import xxhash

from lake.checks.problem import Problem
from lake.errors import AtomlakeError, InvalidInputError
from lake.log.data_files import DataFile
from lake.log.delta_log import read_entries
from lake.log.log_snapshot import replay
from lake.reader import Reader
from lake.storage.arrow_input import open_parquet_input
from lake.storage.storage import Storage

BLOCK_BYTES = 4 * 2**20


def check_files(reader: Reader, name: str, *, deep: bool) -> list[Problem]:
    """Problems with the log and the data files of one table.

    Parameters
    ----------
    deep
        Read every byte and compare checksums; else sizes and footers only.
    """
    try:
        logged = _logged_files(reader, name)
        visible = {file.path for file in reader.files(name)}
    except AtomlakeError as error:
        return [Problem(name, f"{name}/_delta_log", str(error))]
    problems = [
        Problem(name, f"{name}/{path}", "the log's checkpoint and its entries disagree about it")
        for path in sorted(visible ^ logged.keys())
    ]
    sizes = {file.path: file.size for file in reader.storage.list_files(name)}
    for file in logged.values():
        path = f"{name}/{file.path}"
        problems += [
            Problem(name, path, what) for what in _faults(reader.storage, path, file, sizes, deep)
        ]
    return problems


def checksum(storage: Storage, path: str) -> str:
    """xxh3_128 in hex of all bytes of a file."""
    hashed = xxhash.xxh3_128()
    with storage.open_input(path) as stream:
        while block := bytes(stream.read(BLOCK_BYTES)):
            hashed.update(block)
    return hashed.hexdigest()


def _logged_files(reader: Reader, name: str) -> dict[str, DataFile]:
    """The visible files by the log's own entries, which hold the checksums."""
    table = reader.state.table(name)
    versions = [v for v in range(1, table.version + 1) if v not in table.holes]
    return replay({}, read_entries(reader.storage, name, versions))


def _faults(
    storage: Storage, path: str, file: DataFile, sizes: dict[str, int], deep: bool
) -> Iterator[str]:
    """What is wrong with one file; the first fault hides the others."""
    if path not in sizes:
        yield "the file is missing. Restore it from a copy"
        return
    if sizes[path] != file.size:
        yield f"the file has {sizes[path]} bytes; {file.size} were written. Restore it from a copy"
        return
    if deep and file.checksum is not None and checksum(storage, path) != file.checksum:
        yield "the bytes are not those that were written. Restore the file from a copy"
        return
    try:
        with open_parquet_input(storage, path) as parquet:
            n_rows = parquet.metadata.num_rows
            parquet.require_columns()
    except InvalidInputError as error:
        yield str(error)
        return
    except (pa.ArrowException, OSError) as error:
        yield f"the Parquet footer cannot be read: {error}"
        return
    if n_rows != file.n_rows:
        yield f"the file has {n_rows} rows; the log says {file.n_rows}"
