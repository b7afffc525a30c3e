"""What a table's log sums up to: the files at a version.

A checkpoint only repeats what the entries say, so one that a power cut tore is no reason not to
read the table.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from lake.errors import NotFoundError
from lake.log.checkpoints import CHECKPOINT_EVERY, newest_checkpoint, read_checkpoint
from lake.log.data_files import DataFile
from lake.log.delta_log import Entry, read_entries
from lake.storage.storage import Storage


def snapshot(storage: Storage, name: str, version: int) -> dict[str, DataFile]:
    """The files of a table at a Delta version, by path.

    Raises
    ------
    CorruptLakeError
        The log cannot be read at that version, not by its entries either.
    """
    first, files = _start(storage, name, version)
    return replay(files, read_entries(storage, name, range(first + 1, version + 1)))


def _start(storage: Storage, name: str, version: int) -> tuple[int, dict[str, DataFile]]:
    """A version at or below the one given, and the files there, without any entry being read."""
    if version < CHECKPOINT_EVERY:
        return 0, {}
    start = newest_checkpoint(storage, name, version)
    if not start:
        return 0, {}
    try:
        return start, read_checkpoint(storage, name, start)
    except (NotFoundError, pa.ArrowException, OSError, ValueError, KeyError):
        return 0, {}


def replay(files: dict[str, DataFile], entries: Iterable[Entry]) -> dict[str, DataFile]:
    """The files after some entries were applied, in order."""
    files = dict(files)
    for entry in entries:
        for file in entry.removed:
            files.pop(file.path, None)
        for file in entry.added:
            files[file.path] = file
    return files
