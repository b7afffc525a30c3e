"""Predictions as they come from the tasks: matched and written at once, remembered by hashes."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial

import numpy as np

from ingest.frames.frames import Reject
from ingest.labels.seen_keys import SeenKeys
from ingest.predictions.landed_rows import PredictionRows
from ingest.predictions.matching import Matcher
from ingest.predictions.predicted import Predicted
from ingest.predictions.prediction_keys import Choice
from ingest.predictions.prediction_rows import checks_of, prediction_rows
from ingest.predictions.reading import PredictionTaskResult
from ingest.predictions.structure_index import Targets
from ingest.predictions.written_rows import WrittenRows
from lake.log.data_files import DataFile, DataFileWriter, open_data_file
from lake.storage.storage import Storage
from schemas import TABLES

OpenFile = AbstractContextManager[tuple[DataFileWriter, list[DataFile]]]


class Collector:
    """Writes one data file for each task and dataset.

    Attributes
    ----------
    files
        The data files by number.
    parts
        What stands in them.
    rejects
        Frames refused, with the index of the source.
    """

    def __init__(
        self, storage: Storage, matcher: Matcher, model: str, model_id: int, job_id: str
    ) -> None:
        self._storage = storage
        self._matcher = matcher
        self._model = model
        self._model_id = model_id
        self._job_id = job_id
        self.files: dict[int, DataFile] = {}
        self.parts: list[PredictionRows] = []
        self.rejects: list[tuple[int, Reject]] = []
        self.frames_read: Counter[int] = Counter()
        self.choices: set[Choice] = set()
        self.seen = SeenKeys()

    @property
    def paths(self) -> set[str]:
        """Paths of the files below the lake."""
        return {f"predictions/{file.path}" for file in self.files.values()}

    def written(self) -> WrittenRows:
        """The rows that were written."""
        rows = PredictionRows.concatenate(self.parts)
        return WrittenRows(self._storage, self.files, rows)

    def add(self, result: PredictionTaskResult) -> None:
        """Take what a task read."""
        self.rejects += result.rejects
        self.frames_read.update(result.frames_read)
        self.choices |= result.choices
        self.seen = SeenKeys.union((self.seen, result.seen))
        with _TaskFiles(len(self.files), partial(self._open, task=result.number)) as files:
            for predicted in result.predicted:
                matches = self._matcher.match(predicted)
                for frame, reason in matches.unmatched.items():
                    self.rejects.append((predicted.source, _reject(predicted, frame, reason)))
                self._write(predicted, matches.targets, files)
        self.files |= files.closed

    def _write(self, predicted: Predicted, targets: Targets, files: _TaskFiles) -> None:
        checks = checks_of(predicted)
        for dataset in np.unique(targets.dataset).tolist():
            mine = targets.dataset == dataset
            frame, structure_id = targets.frame[mine], targets.structure_id[mine]
            number, writer = files.writer(dataset)
            writer.write(
                prediction_rows(
                    predicted, frame, structure_id, model_id=self._model_id, job_id=self._job_id
                )
            )
            self.parts.append(
                PredictionRows(
                    file=np.full(len(frame), number),
                    dataset=np.full(len(frame), dataset),
                    source=np.full(len(frame), predicted.source),
                    frame=predicted.frame[frame],
                    line=predicted.line[frame],
                    structure_id=structure_id,
                    n_atoms=predicted.n_atoms[frame],
                    check=checks[frame],
                    energy=predicted.energy[frame],
                )
            )

    def _open(self, dataset: int, task: int) -> OpenFile:
        partition = {"dataset": self._matcher.index.datasets[dataset], "model": self._model}
        name = f"{self._job_id}-{task:06}-{uuid.uuid4().hex[:8]}"
        return open_data_file(self._storage, TABLES["predictions"], partition, name)


class _TaskFiles(ExitStack):
    """The files of one task, opened when they are needed and numbered from `first` on."""

    def __init__(self, first: int, open_file: Callable[[int], OpenFile]) -> None:
        super().__init__()
        self._first = first
        self._open_file = open_file
        self._numbers: dict[int, int] = {}
        self._open: list[tuple[DataFileWriter, list[DataFile]]] = []

    def writer(self, dataset: int) -> tuple[int, DataFileWriter]:
        """The number and the writer of the file for a dataset."""
        if dataset not in self._numbers:
            self._numbers[dataset] = len(self._open)
            self._open.append(self.enter_context(self._open_file(dataset)))
        number = self._numbers[dataset]
        return self._first + number, self._open[number][0]

    @property
    def closed(self) -> dict[int, DataFile]:
        """The files by number, once they are closed."""
        return {self._first + i: files[0] for i, (_, files) in enumerate(self._open)}


def _reject(predicted: Predicted, frame: int, reason: str) -> Reject:
    return Reject(
        int(predicted.frame[frame]), int(predicted.line[frame]), reason, predicted.excerpts[frame]
    )
