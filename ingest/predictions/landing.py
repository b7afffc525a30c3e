"""Where predictions come down: what of them is new, the accounting, and the commit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import numpy as np

from ingest.landing.accounting import Accounts, reject_rows, source_rows
from ingest.landing.merging import cut_file
from ingest.landing.report import SourceReport
from ingest.landing.tidy_landing import TidyLanding
from ingest.predictions.accounts import UNMATCHED, PredictionAccounts, settle
from ingest.predictions.collector import Collector
from ingest.predictions.foundation import Foundation
from ingest.predictions.known_predictions import Known, Whose, read_known, without_failed
from ingest.predictions.matching import Matcher
from ingest.predictions.options import PredictionOptions, find_model
from ingest.predictions.prediction_keys import PLAIN
from ingest.predictions.references import check_no_references
from ingest.predictions.report import PredictionReport
from ingest.predictions.resolution import Resolution, resolve
from ingest.tasks.tasks import Source
from lake.lake import Lake
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.reader import Reader
from schemas import TABLES

OPERATION = "ingest predictions"
MATCHED_AT = "matched_at"


class PredictionLanding(TidyLanding):
    """Commits what a `Collector` has matched and written.

    As a context manager it takes away every file that no log has named.
    """

    def __init__(
        self,
        lake: Lake,
        matcher: Matcher,
        options: PredictionOptions,
        sources: Sequence[Source],
        operation_id: str,
        *,
        is_strict: bool,
    ) -> None:
        super().__init__(lake)
        self.matched = matcher.reader
        searched = matcher.index.datasets
        self.datasets = [*searched, UNMATCHED]
        self.home_of_strays = 0 if len(searched) == 1 else len(searched)
        self.options = options
        self.sources = sources
        self.operation_id = operation_id
        self.is_strict = is_strict
        self.model_id = find_model(self.matched, options.model)
        self.collector = Collector(
            lake.storage, matcher, options.model, self.model_id, operation_id
        )
        self.accounts = PredictionAccounts({}, (), ())
        self.added: dict[str, int] = {}
        self.n_retried = 0
        self._written = self.collector.written()

    def _written_paths(self) -> set[str]:
        return self.collector.paths

    def check_references(self, keys: Mapping[str, str]) -> None:
        """Refuse what was taken from plain keys where it is the labels themselves.

        Raises
        ------
        InvalidInputError
            The predictions stand under other keys, or nowhere.
        """
        collected = self.collector
        if any(choice.rank == PLAIN for choice in collected.choices if choice.keys):
            check_no_references(
                self.matched, self.datasets, collected.written(), keys, collected.seen, self._uri
            )

    def commit(self) -> int | None:
        """Commit what is new; the version, or None when there was nothing to commit."""
        self._written = self.collector.written()
        arguments = {
            **self.options.as_dict(),
            "files": [source.item.uri for source in self.sources],
            MATCHED_AT: self.matched.state.version,
        }
        return self.lake.commit(
            OPERATION,
            self._plan,
            arguments=arguments,
            inputs={source.item.uri: source.sha256 for source in self.sources},
            operation_id=self.operation_id,
        )

    def report(
        self, version: int | None, keys: Mapping[str, str], skipped: Sequence[SourceReport]
    ) -> PredictionReport:
        """What was done, once it is done."""
        return PredictionReport(
            self.options.model,
            (*self.accounts.sources, *skipped),
            [(self._uri(index), reject) for index, reject in self.accounts.rejects],
            version,
            keys,
            self.added,
            self.n_retried,
            [self.datasets[d] for d, each in self.accounts.datasets.items() if each.rejects],
            is_refused=self.is_strict and bool(self.accounts.rejects),
        )

    def _plan(self, state: State) -> Changes | None:
        """The changes on top of a version of the lake."""
        reader = Reader(self.lake.storage, state)
        rests_on = self._rests_on()
        rests_on.check_still_there(reader)
        rows = self._written.rows
        known = {
            dataset: read_known(
                Whose(reader, self.datasets[dataset], self.options.model, self.model_id),
                self._written,
                np.flatnonzero(rows.dataset == dataset),
            )
            for dataset in np.unique(rows.dataset).tolist()
        }
        resolution = resolve(rows, known, self._uri, self._written.are_alike)
        collected = self.collector
        whole = [(s.index, s.reject) for s in self.sources if s.reject is not None]
        early = [*collected.rejects, *whole]
        self.accounts = settle(
            self.sources, collected.frames_read, early, rows, resolution, self.home_of_strays
        )
        if self.is_strict and self.accounts.rejects:
            return None
        replaced, copies = self._without_failed(reader, known, resolution)
        added = {"predictions": self._new_files(resolution) + copies} | self._account_files()
        self._keep(added)
        self.added = {
            self.datasets[dataset]: int((resolution.adds & (rows.dataset == dataset)).sum())
            for dataset in known
        }
        ids = {
            self.datasets[d]: rows.structure_id[resolution.adds & (rows.dataset == d)]
            for d in known
        }
        return Changes(
            added=added,
            removed={"predictions": replaced},
            still_valid=lambda old, new: rests_on.still_stands(
                Reader(self.lake.storage, old), Reader(self.lake.storage, new), ids
            ),
        )

    def _rests_on(self) -> Foundation:
        rows = self._written.rows
        wanted = {
            self.datasets[d]: rows.structure_id[rows.dataset == d]
            for d in np.unique(rows.dataset).tolist()
        }
        return Foundation(self.options.model, self.model_id, self.matched, wanted)

    def _new_files(self, resolution: Resolution) -> list[DataFile]:
        """The data files with the new rows alone."""
        kept = []
        for number, file in self.collector.files.items():
            keep = resolution.adds[self._written.rows.file == number]
            if keep.any():
                kept.append(cut_file(self.lake.storage, "predictions", file, keep))
        return kept

    def _without_failed(
        self, reader: Reader, known: Mapping[int, Known], resolution: Resolution
    ) -> tuple[list[DataFile], list[DataFile]]:
        """Files with failed predictions that were made elsewhere now, and copies without these."""
        replaced, copies = [], []
        self.n_retried = 0
        for dataset, there in known.items():
            mine = resolution.adds & (self._written.rows.dataset == dataset)
            new = set(self._written.rows.structure_id[mine].tolist())
            partition = {"dataset": self.datasets[dataset], "model": self.options.model}
            for file in reader.files("predictions", **partition):
                gone = there.failed.get(file.path, set()) & new
                if gone:
                    self.n_retried += len(gone)
                    replaced.append(file)
                    copy = without_failed(self.lake.storage, file, self.model_id, gone)
                    copies += [] if copy is None else [copy]
        return replaced, copies

    def _account_files(self) -> dict[str, list[DataFile]]:
        files: dict[str, list[DataFile]] = {"sources": [], "rejects": []}
        for dataset, accounts in self.accounts.datasets.items():
            tables = {
                "sources": source_rows(
                    accounts.sources,
                    Accounts(accounts.reports, ()),
                    file_format=self.options.source_format,
                    label_set=None,
                    options=self.options.as_json(),
                    units=self.options.source_units,
                ),
                "rejects": reject_rows(accounts.sources, Accounts((), accounts.rejects)),
            }
            partition = {"dataset": self.datasets[dataset]}
            name = f"{self.operation_id}-{uuid.uuid4().hex[:8]}"
            for table, rows in tables.items():
                if rows.num_rows:
                    files[table].append(
                        write_data_file(self.lake.storage, TABLES[table], partition, name, rows)
                    )
        return files

    def _uri(self, index: int) -> str:
        return self.sources[index].item.uri
