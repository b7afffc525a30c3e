"""Where the results of an ingest come down: accounting, duplicates, and the commit."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ingest.frames.frames import Reject
from ingest.labels.seen_keys import SeenKeys, check_mapped_keys
from ingest.landing.accounting import Accounts, reject_rows, settle, source_rows
from ingest.landing.duplicates import read_known, resolve
from ingest.landing.excerpts import excerpts
from ingest.landing.merging import kept_files
from ingest.landing.other_labels import other_label_reasons
from ingest.landing.report import IngestReport, SourceReport
from ingest.landing.tidy_landing import TidyLanding
from ingest.tables.rows import Integers, concatenate
from ingest.tasks.reading import Target, TaskResult
from ingest.tasks.tasks import Source
from lake.lake import Lake
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.reader import Reader
from schemas import TABLES

if TYPE_CHECKING:
    from ingest.api import Options


class Landing(TidyLanding):
    """Collects what tasks wrote, and commits what of it is new.

    As a context manager it takes away every file that no log has named.
    """

    def __init__(
        self,
        lake: Lake,
        target: Target,
        options: Options,
        sources: Sequence[Source],
        *,
        is_strict: bool,
    ) -> None:
        super().__init__(lake)
        self.target = target
        self.options = options
        self.sources = sources
        self.is_strict = is_strict
        self.results: list[TaskResult] = []
        self.written: set[str] = set()
        self.accounts = Accounts((), ())
        self._new_ids: dict[str, Integers] = {}

    def _written_paths(self) -> set[str]:
        return self.written

    def add(self, result: TaskResult) -> None:
        """Take what a task wrote."""
        self.results.append(result)
        for name, file in (("structures", result.structures), ("labels", result.labels)):
            if file is not None:
                self.written.add(f"{name}/{file.path}")

    def check_mapped_keys(self) -> None:
        """Refuse a mapped key that no frame has."""
        seen = SeenKeys.union(result.seen for result in self.results)
        check_mapped_keys(self.target.rules, seen)

    def commit(self) -> int | None:
        """Commit what is new; the version, or None when there was nothing to commit."""
        self.results.sort(key=lambda result: result.number)
        if not self.sources:
            return None
        return self.lake.commit(
            f"ingest {self.target.importer.format}",
            self._plan,
            arguments={
                "dataset": self.options.dataset,
                "label_set": self.options.label_set,
                **self.options.as_dict(),
                "files": [source.item.uri for source in self.sources],
            },
            inputs={source.item.uri: source.sha256 for source in self.sources},
            operation_id=self.target.operation_id,
        )

    def report(self, version: int | None, skipped: Sequence[SourceReport]) -> IngestReport:
        """What was done, once it is done."""
        uris = self._uris()
        return IngestReport(
            self.options.dataset,
            (*self.accounts.sources, *skipped),
            [(uris[index], reject) for index, reject in self.accounts.rejects],
            sorted({name for result in self.results for name in result.unmatched}),
            version,
            is_refused=self.is_strict and bool(self.accounts.rejects),
        )

    def _plan(self, state: State) -> Changes | None:
        """The changes on top of a version of the lake."""
        reader = Reader(self.lake.storage, state)
        rows = concatenate([result.rows for result in self.results])
        known = read_known(reader, self.options.dataset, self.options.label_set)
        resolution = resolve(rows, known)
        resolution.rejected.update(
            other_label_reasons(
                rows,
                resolution,
                self._uris(),
                reader,
                dataset=self.options.dataset,
                label_set=self.options.label_set,
            )
        )
        self.accounts = settle(
            self.sources,
            self._frames_read(),
            self._rejects(),
            rows,
            resolution,
            excerpts(self.lake.storage, self.results, rows, resolution.rejected),
        )
        if self.is_strict and self.accounts.rejects:
            return None
        files = kept_files(self.lake.storage, self.results, rows, resolution)
        files |= self._account_files()
        self._keep(files)
        self._new_ids = {
            "structures": np.sort(rows.structure_id[resolution.adds_structure]),
            "labels": np.sort(rows.structure_id[resolution.adds_label]),
        }
        return Changes(added=files, still_valid=self._still_valid)

    def _still_valid(self, planned_on: State, now: State) -> bool:
        """Whether another has neither added what this ingest adds nor taken rows away since."""
        old, new = Reader(self.lake.storage, planned_on), Reader(self.lake.storage, now)
        partition = {"dataset": self.options.dataset}
        for name in ("structures", "labels"):
            if planned_on.table(name) == now.table(name):
                continue
            if name == "labels":
                partition["label_set"] = self.options.label_set
            before = {file.path for file in old.files(name, **partition)}
            files = [f for f in new.files(name, **partition) if f.path not in before]
            if before - {file.path for file in new.files(name, **partition)}:
                return False  # what made frames duplicates may be gone
            ids = new.columns(name, files, ("structure_id",))["structure_id"]
            if np.isin(ids.to_numpy(), self._new_ids[name]).any():
                return False
        return True

    def _paths_after_failure(self) -> set[str]:
        """Every data file of this ingest that lies in storage, named or not.

        Tasks that were under way when another failed have written files nobody told of.
        """
        mine = self.target.operation_id
        return {
            file.path
            for name in ("structures", "labels", "sources", "rejects")
            for file in self.lake.storage.list_files(f"{name}/dataset={self.options.dataset}")
            if file.path.rpartition("/")[2].startswith(mine)
        }

    def _uris(self) -> dict[int, str]:
        return {source.index: source.item.uri for source in self.sources}

    def _frames_read(self) -> Counter[int]:
        read: Counter[int] = Counter()
        for result in self.results:
            read.update(result.frames_read)
        return read

    def _rejects(self) -> list[tuple[int, Reject]]:
        return [pair for result in self.results for pair in result.rejects]

    def _account_files(self) -> dict[str, list[DataFile]]:
        tables = {
            "sources": source_rows(
                self.sources,
                self.accounts,
                file_format=self.target.importer.format,
                label_set=self.options.label_set,
                options=self.options.as_json(),
                units=self.target.rules.units.as_dict(),
            ),
            "rejects": reject_rows(self.sources, self.accounts),
        }
        name = f"{self.target.operation_id}-{uuid.uuid4().hex[:8]}"
        partition = {"dataset": self.options.dataset}
        return {
            table: [write_data_file(self.lake.storage, TABLES[table], partition, name, rows)]
            for table, rows in tables.items()
            if rows.num_rows
        }
