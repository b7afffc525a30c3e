"""Rows of `sources` and `rejects`, and whether the counts close."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ingest.frames.frames import Reject
from ingest.landing.duplicates import Resolution
from ingest.landing.report import SourceReport
from ingest.tables.rows import Rows
from ingest.tasks.tasks import Source
from lake.errors import JobFailedError
from schemas import TABLES


@dataclass(frozen=True)
class Accounts:
    """What became of every frame of every source that was read."""

    sources: tuple[SourceReport, ...]
    rejects: tuple[tuple[int, Reject], ...]


def settle(
    sources: Sequence[Source],
    frames_read: Mapping[int, int],
    rejects: Sequence[tuple[int, Reject]],
    rows: Rows,
    resolution: Resolution,
    excerpts: Mapping[int, str],
) -> Accounts:
    """Count rows, duplicates and rejects of every source.

    Parameters
    ----------
    excerpts
        How the rows that `resolution` rejects begin.

    Raises
    ------
    JobFailedError
        The counts of a source do not close, which no input may bring about.
    """
    later = [
        (
            int(rows.source[row]),
            Reject(int(rows.frame[row]), int(rows.line[row]), reason, excerpts.get(row, "")),
        )
        for row, reason in resolution.rejected.items()
    ]
    whole = [(s.index, s.reject) for s in sources if s.reject is not None]
    every = sorted((*rejects, *later, *whole), key=lambda pair: (pair[0], pair[1].frame))
    kept = resolution.adds_structure | resolution.adds_label
    n_rows = Counter(rows.source[kept].tolist())
    n_parsed = Counter(rows.source.tolist())
    n_later = Counter(index for index, _ in later)
    n_rejects = Counter(index for index, _ in every)
    n_whole = Counter(index for index, _ in whole)
    reports = []
    for source in sources:
        i = source.index
        # A file refused as a whole counts as one thing read.
        read = frames_read.get(i, 0) + n_whole[i]
        duplicates = n_parsed[i] - n_rows[i] - n_later[i]
        if read != n_rows[i] + duplicates + n_rejects[i] or duplicates < 0:
            raise JobFailedError(
                f"{source.item.uri}: {read} frames read, but {n_rows[i]} rows, {duplicates} "
                f"duplicates and {n_rejects[i]} rejects. Nothing was committed. Report this."
            )
        reports.append(SourceReport(source.item.uri, read, n_rows[i], duplicates, n_rejects[i]))
    return Accounts(tuple(reports), tuple(every))


def source_rows(
    sources: Sequence[Source],
    accounts: Accounts,
    *,
    file_format: str,
    label_set: str | None,
    options: str,
    units: Mapping[str, Any],
) -> pa.Table:
    """Rows of `sources`, without the partition column."""
    now = datetime.now(UTC)
    rows = [
        {
            "source_id": source.source_id,
            "uri": source.item.uri,
            "format": file_format,
            "sha256": source.sha256,
            "size": source.size,
            "label_set": label_set,
            "options": options,
            "source_units": json.dumps(dict(units), sort_keys=True),
            "frames_read": report.frames_read,
            "rows": report.rows,
            "duplicates": report.duplicates,
            "rejects": report.rejects,
            "read_at": now,
        }
        for source, report in zip(sources, accounts.sources, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["sources"].file_arrow)


def reject_rows(sources: Sequence[Source], accounts: Accounts) -> pa.Table:
    """Rows of `rejects`, without the partition column."""
    by_index = {source.index: source for source in sources}
    rows = [
        {
            "source_id": by_index[index].source_id,
            "uri": by_index[index].item.uri,
            "frame": reject.frame,
            "line": reject.line,
            "reason": reject.reason,
            "excerpt": reject.excerpt,
        }
        for index, reject in accounts.rejects
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["rejects"].file_arrow)
