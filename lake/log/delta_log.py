"""The Delta log of one table: reading its entries, and adding one.

delta-rs makes the tables (`lake.log.table_columns`), and sums up their logs
(`lake.log.checkpoints`). The entry of a commit is written here, because of two promises delta-rs
does not make: the entry is on disk before anyone can see it, and a put whose answer was lost is
recognised as one's own instead of being done twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from lake.errors import CorruptLakeError, NotFoundError, StorageError
from lake.log.data_files import DataFile
from lake.storage.storage import Storage

READS_AT_ONCE = 16  # of an object store, where each takes a while and little work
_ENTRY = re.compile(r"(\d{20})\.json")


@dataclass(frozen=True)
class Entry:
    """One commit in a table's log; ``note`` is what atomlake wrote about itself in it.

    ``metadata`` is what Delta calls so: the table's columns and settings, where they change.
    """

    added: tuple[DataFile, ...] = ()
    removed: tuple[DataFile, ...] = ()
    note: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] | None = None


def newest_version(storage: Storage, name: str) -> int:
    """Version of the newest entry of a table's log.

    Raises
    ------
    NotFoundError
        There is no log.
    """
    newest = -1
    for file in storage.list_files(f"{name}/_delta_log"):
        match = _ENTRY.fullmatch(file.path.rpartition("/")[2])
        if match:
            newest = max(newest, int(match[1]))
    if newest < 0:
        raise NotFoundError(f"{storage.url(name)} is not a table of a lake.")
    return newest


def read_entry(storage: Storage, name: str, version: int) -> Entry:
    """The entry of one version.

    Raises
    ------
    CorruptLakeError
        It is missing or not what an entry looks like.
    """
    path = entry_path(name, version)
    try:
        return _parse(storage.read(path))
    except NotFoundError as error:
        raise CorruptLakeError(
            f"{storage.url(path)} is missing. Every version of a table needs its log entry. "
            "Restore the file from a copy."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # not JSON, or not of a log
        raise CorruptLakeError(
            f"{storage.url(path)} is not a log entry: {error}. Restore the file from a copy."
        ) from error


def read_entries(storage: Storage, name: str, versions: Sequence[int]) -> Iterator[Entry]:
    """The entries of some versions, in this order. Raises what `read_entry` does."""
    read = partial(read_entry, storage, name)
    if storage.is_local:
        yield from map(read, versions)
    elif versions:
        with ThreadPoolExecutor(min(READS_AT_ONCE, len(versions))) as pool:
            yield from pool.map(read, versions)


def _parse(data: bytes) -> Entry:
    lines = [orjson.loads(line) for line in data.splitlines() if line]
    note: dict[str, Any] = {}
    for line in lines:
        if "commitInfo" in line:
            note |= orjson.loads(line["commitInfo"].get("userMetadata") or "{}")
    return Entry(
        added=tuple(logged_file(line["add"]) for line in lines if "add" in line),
        removed=tuple(logged_file(line["remove"]) for line in lines if "remove" in line),
        note=note,
        metadata=next((line["metaData"] for line in lines if "metaData" in line), None),
    )


def put_entry(storage: Storage, name: str, version: int, entry: Entry, operation: str) -> bool:
    """Write the entry of a version, durably; False when another writer has that version.

    The note's ``attempt_id`` tells one's own entry from another's when the store lost the answer to
    the first try.
    """
    now_ms = time.time_ns() // 1_000_000
    data_change = operation != "optimize"
    lines: list[dict[str, Any]] = [
        {
            "commitInfo": {
                "timestamp": now_ms,
                "operation": operation,
                "engineInfo": "atomlake",
                "isBlindAppend": not entry.removed,
                "userMetadata": json.dumps(entry.note),
            }
        }
    ]
    if entry.metadata is not None:
        lines.append({"metaData": dict(entry.metadata)})
    lines += [{"remove": _remove(file, now_ms, data_change)} for file in entry.removed]
    lines += [{"add": _add(file, now_ms, data_change)} for file in entry.added]
    data = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    path = entry_path(name, version)
    try:
        if storage.put_new(path, data):
            return True
    except StorageError:
        # The entry may be there although the answer was lost. Only then was it not refused.
        if not storage.exists(path) or not _is_own(storage, name, version, entry):
            raise
        storage.sync(path)
        return True
    if not _is_own(storage, name, version, entry):
        return False
    storage.sync(path)  # the first try may have ended before that
    return True


def _is_own(storage: Storage, name: str, version: int, entry: Entry) -> bool:
    there = read_entry(storage, name, version).note
    return bool(there.get("attempt_id") == entry.note["attempt_id"])


def append_entry(
    storage: Storage, name: str, after: int, make: Callable[[int], Entry], operation: str
) -> int:
    """Write an entry at the first free version above `after`; that version.

    Files are named by one operation only, so entries of different writers never contradict each
    other here; what they mean together is decided where the lake's own version is committed.

    Parameters
    ----------
    make
        Gives the entry that follows a version of the log.
    """
    version = after + 1
    while not put_entry(storage, name, version, make(version - 1), operation):
        version = max(version + 1, newest_version(storage, name) + 1)
    return version


def entry_path(name: str, version: int) -> str:
    """Where the entry of a version lies below the lake."""
    return f"{name}/_delta_log/{version:020}.json"


def _add(file: DataFile, now_ms: int, data_change: bool) -> dict[str, Any]:
    return {
        "path": file.path,
        "partitionValues": dict(file.partition),
        "size": file.size,
        "modificationTime": now_ms,
        "dataChange": data_change,
        "stats": file.statistics,
        "tags": {"xxh3_128": file.checksum},
    }


def _remove(file: DataFile, now_ms: int, data_change: bool) -> dict[str, Any]:
    return {
        "path": file.path,
        "deletionTimestamp": now_ms,
        "dataChange": data_change,
        "extendedFileMetadata": True,
        "partitionValues": dict(file.partition),
        "size": file.size,
    }


def logged_file(action: Mapping[str, Any]) -> DataFile:
    """The data file an action of a log adds or removes."""
    statistics = action.get("stats")
    return DataFile(
        path=action["path"],
        partition=action.get("partitionValues") or {},
        size=action.get("size") or 0,
        n_rows=orjson.loads(statistics).get("numRecords", 0) if statistics else 0,
        checksum=(action.get("tags") or {}).get("xxh3_128"),
        statistics=statistics,
    )
