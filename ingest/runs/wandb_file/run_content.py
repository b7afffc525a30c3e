"""All records of a `.wandb` file, read: those of the usual form at once, the others one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from ingest.frames.frames import Reject
from ingest.runs.wandb_file.bulk_items import (
    HISTORY,
    SUMMARY,
    BulkItems,
    Integers,
    Messages,
    find_messages,
    padded,
    read_items,
)
from ingest.runs.wandb_file.items import Path, read_head
from ingest.runs.wandb_file.record_log import RecordLog
from ingest.runs.wandb_file.records import RunRecords

_SHOWN_BYTES = 60


@dataclass(frozen=True, eq=False)
class HistoryCells:
    """Items of history rows, in order.

    ``cells`` has the columns record, path (an index into ``paths``) and text (bytes of JSON);
    ``rows`` has record and number, the step where one is written.
    """

    cells: pl.DataFrame
    rows: pl.DataFrame
    paths: list[Path]


@dataclass(frozen=True, eq=False)
class RunContent:
    """What a file says of its run, its history, and the records that were refused."""

    records: RunRecords
    history: HistoryCells
    rejects: list[Reject]


def read_content(log: RecordLog) -> RunContent:
    """Read every record of a log.

    Raises
    ------
    InvalidInputError
        It is no `.wandb` file.
    """
    spans = log.spans()
    whole = log.data + bytes(log.joined)
    buffer = padded(whole)
    messages = find_messages(buffer, spans[:, 1], spans[:, 2])
    bulk = read_items(buffer, messages)
    paths, is_regular = _paths(bulk)
    records = RunRecords()
    rejects = []
    for record in _left_over(len(spans), messages, is_regular):
        offset, start, end = spans[record].tolist()
        try:
            records.add(record, whole[start:end])
        except ValueError as error:
            rejects.append(_reject(record, offset, error, whole[start:end]))
    bulk_path, in_bulk = _path_column(bulk, is_regular)
    _add_summary(records, messages, bulk, bulk_path, in_bulk, paths)
    return RunContent(
        records, _history(records, messages, bulk, bulk_path, in_bulk, paths, is_regular), rejects
    )


def _paths(bulk: BulkItems) -> tuple[list[Path], np.ndarray]:
    """The key of each distinct head, and the messages that are regular, heads being keys."""
    paths: list[Path] = []
    wrong = []
    for code, head in enumerate(bulk.head.dictionary.to_pylist()):
        try:
            paths.append(read_head(head))
        except ValueError:
            paths.append(())
            wrong.append(code)
    is_regular = bulk.is_regular
    if wrong:
        is_regular = is_regular.copy()
        codes = bulk.head.indices.to_numpy(zero_copy_only=False)
        is_regular[bulk.message[np.isin(codes, wrong)]] = False
    return paths, is_regular


def _left_over(n_records: int, messages: Messages, is_regular: np.ndarray) -> list[int]:
    is_left = np.ones(n_records, np.bool_)
    is_left[messages.record[is_regular]] = False
    return np.flatnonzero(is_left).tolist()


def _reject(record: int, offset: int, error: ValueError, payload: bytes) -> Reject:
    return Reject(
        record,
        0,
        f"record {record}, at byte {offset}: {error}. Expected records as wandb 0.31 writes them. "
        "If a newer wandb wrote the file, sync it and read the run online.",
        payload[:_SHOWN_BYTES].hex(),
    )


def _path_column(bulk: BulkItems, is_regular: np.ndarray) -> tuple[Integers, np.ndarray]:
    codes = bulk.head.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, is_regular[bulk.message]


def _add_summary(
    records: RunRecords,
    messages: Messages,
    bulk: BulkItems,
    path: Integers,
    in_bulk: np.ndarray,
    paths: list[Path],
) -> None:
    """Put the last value of every key; earlier ones were replaced by it."""
    of_summary = np.flatnonzero((messages.tag[bulk.message] == SUMMARY) & in_bulk)
    codes, first = np.unique(path[of_summary][::-1], return_index=True)
    for code, back in zip(codes.tolist(), first.tolist(), strict=True):
        item = int(of_summary[len(of_summary) - 1 - back])
        record = int(messages.record[bulk.message[item]])
        records.summary.put(record, paths[code], bulk.value[item].as_py())


def _history(
    records: RunRecords,
    messages: Messages,
    bulk: BulkItems,
    path: Integers,
    in_bulk: np.ndarray,
    paths: list[Path],
    is_regular: np.ndarray,
) -> HistoryCells:
    of_history = np.flatnonzero((messages.tag[bulk.message] == HISTORY) & in_bulk)
    is_row = (messages.tag == HISTORY) & is_regular
    cells = pl.DataFrame(
        {
            "record": messages.record[bulk.message[of_history]],
            "path": path[of_history],
            "text": pl.Series(bulk.value.take(pa.array(of_history)), dtype=pl.Binary),
        }
    )
    rows = pl.DataFrame({"record": messages.record[is_row], "number": bulk.step[is_row]})
    if not records.rows:
        return HistoryCells(cells, rows, paths)
    known = {each: code for code, each in reversed(list(enumerate(paths)))}
    slow = [
        (row.record, known.setdefault(each, len(known)), text)
        for row in records.rows
        for each, text in row.items
    ]
    every = paths + [each for each, code in known.items() if code >= len(paths)]
    more = pl.DataFrame(slow, schema=cells.schema, orient="row")
    more_rows = pl.DataFrame([(r.record, r.step) for r in records.rows], rows.schema, orient="row")
    return HistoryCells(
        pl.concat([cells, more]).sort("record", maintain_order=True),
        pl.concat([rows, more_rows]).sort("record", maintain_order=True),
        every,
    )
