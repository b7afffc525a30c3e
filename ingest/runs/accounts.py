"""The accounts of sources of training runs: what becomes of every value and every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from ingest.frames.frames import EXCERPT_LENGTH, Reject
from ingest.landing.report import SourceReport
from ingest.runs.logged_run import LoggedFile, LoggedRun
from ingest.runs.new_history import CONFLICT, DUPLICATE, NEW, history_of, known_history, sort_out
from ingest.tasks.tasks import Source
from lake.errors import JobFailedError
from lake.reader import Reader


@dataclass(frozen=True, eq=False)
class ReadSource:
    """A source, what it holds, and the project its runs go to."""

    source: Source
    project: str
    file_format: str
    file: LoggedFile

    @property
    def n_values(self) -> int:
        """Values logged by its runs."""
        return sum(len(run.history) for run in self.file.runs)


def sorted_values(reader: Reader, project: str, read: Sequence[ReadSource]) -> pl.DataFrame:
    """All values that were read, with what becomes of each: see `sort_out`."""
    parts = []
    for each in read:
        first = 0
        for run in each.file.runs:
            parts.append(history_of(run.run_id, each.source.index, run.history, first))
            first += len(run.history)
    if not parts:
        parts.append(history_of("", 0, LoggedRun("", "").history, 0))
    run_ids = sorted({run.run_id for each in read for run in each.file.runs})
    return sort_out(pl.concat(parts), known_history(reader, project, run_ids))


def early_rejects(read: Sequence[ReadSource]) -> list[tuple[int, Reject]]:
    """What the readers refused, counted on behind values and runs, so that no two share a frame."""
    found = []
    for each in read:
        first = each.n_values + len(each.file.runs)
        for i, reject in enumerate(each.file.rejects):
            found.append((each.source.index, replace(reject, frame=first + i)))
        if each.source.reject is not None:
            found.append((each.source.index, each.source.reject))
    return found


def conflicts(values: pl.DataFrame) -> list[tuple[int, Reject]]:
    """A reject for every value that stands against another, with the index of its source."""
    found = values.filter(pl.col("status") == CONFLICT)
    names = ("source", "frame", "line", "run_id", "step", "key", "value", "other", "there")
    return [
        (
            source,
            Reject(
                frame,
                line,
                f"run {run_id}, step {step}, {key}: {_shown(value, other)}, but {there} stands "
                "there already. A run logs one value under a key at a step. If it was logged anew, "
                "ingest it as another run.",
                f"{key}: {_shown(value, other)}"[:EXCERPT_LENGTH],
            ),
        )
        for source, frame, line, run_id, step, key, value, other, there in found.select(
            names
        ).iter_rows()
    ]


def _shown(value: float | None, other: str | None) -> str:
    text = repr(value) if other is None else other
    return text[:EXCERPT_LENGTH]


def settled(
    each: ReadSource,
    values: pl.DataFrame,
    n_changed: Mapping[int, int],
    rejects: Sequence[tuple[int, Reject]],
) -> SourceReport:
    """The accounting of a source, in values and runs.

    Raises
    ------
    JobFailedError
        The counts do not close, which no input may bring about.
    """
    index, uri = each.source.index, each.source.item.uri
    of_source = values.filter(pl.col("source") == index)
    status: dict[str, Any] = dict(of_source["status"].value_counts().iter_rows())
    n_runs, n_new_runs = len(each.file.runs), n_changed.get(index, 0)
    n_early = len(each.file.rejects) + (each.source.reject is not None)
    n_rejects = sum(source == index for source, _ in rejects)
    read = each.n_values + n_runs + n_early
    rows = status.get(NEW, 0) + n_new_runs
    duplicates = status.get(DUPLICATE, 0) + n_runs - n_new_runs
    if read != rows + duplicates + n_rejects:
        raise JobFailedError(
            f"{uri}: {read} values and runs read, but {rows} new, {duplicates} duplicates and "
            f"{n_rejects} rejects. Nothing was committed. Report this."
        )
    return SourceReport(uri, read, rows, duplicates, n_rejects)
