"""Where runs come down: what of them is new, the accounting, and the commit."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from ingest.frames.frames import Reject
from ingest.landing.accounting import Accounts, reject_rows, source_rows
from ingest.landing.report import SourceReport
from ingest.landing.tidy_landing import TidyLanding
from ingest.runs.accounts import (
    ReadSource,
    conflicts,
    early_rejects,
    settled,
    sorted_values,
)
from ingest.runs.new_history import NEW
from ingest.runs.report import RunReport, RunsReport
from ingest.runs.run_row import Row, decoded_row, merged, row_of, stored_row
from lake.lake import Lake
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.reader import Reader
from schemas import TABLES

RUNS, HISTORY = "runs", "training_history"


@dataclass(frozen=True)
class Landed:
    """What became of the sources of one project on top of a version of the lake."""

    reports: Sequence[SourceReport]
    rejects: Sequence[tuple[int, Reject]]
    runs: Sequence[RunReport]
    added: Mapping[str, Sequence[DataFile]]
    removed: Mapping[str, Sequence[DataFile]]


class RunsLanding(TidyLanding):
    """Commits runs and their histories, as one operation.

    As a context manager it takes away every file that no log has named.
    """

    def __init__(
        self,
        lake: Lake,
        read: Sequence[ReadSource],
        *,
        operation: str,
        options: str,
        is_strict: bool,
        operation_id: str,
    ) -> None:
        super().__init__(lake)
        self.read = read
        self.operation = operation
        self.options = options
        self.is_strict = is_strict
        self.operation_id = operation_id
        self.landed: list[Landed] = []
        self._written: set[str] = set()

    def _written_paths(self) -> set[str]:
        return self._written

    def commit(self) -> RunsReport:
        """Commit what is new, and say what was done."""
        uris = [each.source.item.uri for each in self.read]
        version = self.lake.commit(
            self.operation,
            self._plan,
            arguments={**json.loads(self.options), "files": uris},
            inputs={each.source.item.uri: each.source.sha256 for each in self.read},
            operation_id=self.operation_id,
        )
        rejects = [pair for landed in self.landed for pair in landed.rejects]
        return RunsReport(
            [report for landed in self.landed for report in landed.reports],
            [run for landed in self.landed for run in landed.runs],
            [(self._uri(index), reject) for index, reject in rejects],
            sum((Counter(each.file.kinds) for each in self.read), Counter()),
            [(each.source.item.uri, note) for each in self.read for note in each.file.notes],
            [] if version is None else [version],
            is_refused=self.is_strict and bool(rejects),
        )

    def _uri(self, index: int) -> str:
        return next(each.source.item.uri for each in self.read if each.source.index == index)

    def _plan(self, state: State) -> Changes | None:
        reader = Reader(self.lake.storage, state)
        projects = sorted({each.project for each in self.read})
        self.landed = [self._land(reader, project) for project in projects]
        if self.is_strict and any(landed.rejects for landed in self.landed):
            return None
        added: dict[str, list[DataFile]] = {}
        removed: dict[str, list[DataFile]] = {}
        for landed in self.landed:
            for target, files in ((added, landed.added), (removed, landed.removed)):
                for table, of_table in files.items():
                    target.setdefault(table, []).extend(of_table)
        self._keep(added)

        def still_valid(old: State, new: State) -> bool:
            before, after = Reader(self.lake.storage, old), Reader(self.lake.storage, new)
            return all(
                _paths(before, table, project) == _paths(after, table, project)
                for table in (RUNS, HISTORY)
                for project in projects
            )

        return Changes(added=added, removed=removed, still_valid=still_valid)

    def _land(self, reader: Reader, project: str) -> Landed:
        """Sort out what was read of one project, and write what is new."""
        read = [each for each in self.read if each.project == project]
        values = sorted_values(reader, project, read)
        rows, n_changed, there = _run_rows(reader, project, read)
        rejects = [*early_rejects(read), *conflicts(values)]
        reports = [settled(each, values, n_changed, rejects) for each in read]
        new = values.filter(pl.col("status") == NEW)
        counts = dict(new["run_id"].value_counts().iter_rows())
        runs = [
            RunReport(project, row["run_id"], row["name"], row["state"], counts.get(run_id, 0))
            for run_id, row in rows.items()
        ]
        if self.is_strict and rejects:
            return Landed(reports, rejects, runs, {}, {})
        added = {HISTORY: self._write(HISTORY, project, _history_table(new))}
        changed = {run_id: row for run_id, row in rows.items() if row != there.get(run_id)}
        added[RUNS], removed = self._rewritten_runs(reader, project, changed)
        added |= self._account_files(project, read, reports, rejects)
        return Landed(reports, rejects, runs, added, {RUNS: removed})

    def _rewritten_runs(
        self, reader: Reader, project: str, changed: Mapping[str, Row]
    ) -> tuple[list[DataFile], list[DataFile]]:
        """A file with the rows of changed runs, and the files in which they stood before."""
        rows = [stored_row(row) for row in changed.values()]
        removed = []
        for file in reader.files(RUNS, project=project):
            of_file = reader.columns(RUNS, [file], TABLES[RUNS].file_arrow.names).to_pylist()
            if any(row["run_id"] in changed for row in of_file):
                removed.append(file)
                rows += [row for row in of_file if row["run_id"] not in changed]
        table = pa.Table.from_pylist(
            sorted(rows, key=lambda row: row["run_id"]), schema=TABLES[RUNS].file_arrow
        )
        return self._write(RUNS, project, table), removed

    def _account_files(
        self,
        project: str,
        read: Sequence[ReadSource],
        reports: Sequence[SourceReport],
        rejects: Sequence[tuple[int, Reject]],
    ) -> dict[str, list[DataFile]]:
        tables = []
        for each, report in zip(read, reports, strict=True):
            tables.append(
                source_rows(
                    [each.source],
                    Accounts((report,), ()),
                    file_format=each.file_format,
                    label_set=None,
                    options=self.options,
                    units={},
                )
            )
        sources = [each.source for each in read]
        return {
            "sources": self._write("sources", project, pa.concat_tables(tables)),
            "rejects": self._write(
                "rejects", project, reject_rows(sources, Accounts((), tuple(rejects)))
            ),
        }

    def _write(self, name: str, project: str, rows: pa.Table) -> list[DataFile]:
        if not rows.num_rows:
            return []
        table = TABLES[name]
        file = write_data_file(
            self.lake.storage,
            table,
            {table.partition[0]: project},
            f"{self.operation_id}-{uuid.uuid4().hex[:8]}",
            rows,
        )
        self._written.add(f"{name}/{file.path}")
        return [file]


def _paths(reader: Reader, table: str, project: str) -> set[str]:
    return {file.path for file in reader.files(table, project=project)}


def _run_rows(
    reader: Reader, project: str, read: Sequence[ReadSource]
) -> tuple[dict[str, Row], Counter[int], dict[str, Row]]:
    """Rows of the runs read, how many each source changed, and the rows that are there."""
    run_ids = sorted({run.run_id for each in read for run in each.file.runs})
    frame = reader.scan(RUNS, project=project).filter(pl.col("run_id").is_in(run_ids)).collect()
    there = {row["run_id"]: decoded_row(row) for row in frame.iter_rows(named=True)}
    rows: dict[str, Row] = {}
    n_changed: Counter[int] = Counter()
    for each in read:
        for run in each.file.runs:
            new = row_of(run, project, each.source.source_id)
            before = rows.get(run.run_id, there.get(run.run_id))
            rows[run.run_id] = new if before is None else merged(before, new)
            n_changed[each.source.index] += rows[run.run_id] is not before
    return rows, n_changed, there


def _history_table(new: pl.DataFrame) -> pa.Table:
    """Rows of `training_history`, in the order it is sorted by."""
    schema = TABLES[HISTORY].file_arrow
    return new.select(schema.names).sort("run_id", "key", "step").to_arrow().cast(schema)
