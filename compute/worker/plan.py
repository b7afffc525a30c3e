"""What a commit of results changes: only what nobody has committed meanwhile."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa

from compute.jobs.done import Done, DoneFiles, Ids
from compute.jobs.job import Job, JobModel
from compute.worker.rows import PREDICTIONS, without_failed
from lake.errors import ConflictError
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.reader import Reader
from lake.storage.storage import Storage
from schemas import TABLES

_RESULTS = ("predictions", "embeddings")
_NONE: Ids = np.empty(0, np.int64)


class Plan:
    """The changes on top of a version of the lake, called again when others were there first.

    A row whose structure has one already is left out, so that jobs may overlap. A row that failed
    gives way to one with numbers, and to any row of a job that computes failed ones again.

    Parameters
    ----------
    predictions, pointers
        Rows of predictions and embeddings, of one model and dataset.

    Attributes
    ----------
    done
        What was done in the version of the lake this was planned on last.
    """

    def __init__(
        self,
        storage: Storage,
        job: Job,
        model: JobModel,
        done_files: DoneFiles,
        predictions: pa.Table,
        pointers: pa.Table,
    ) -> None:
        self.operation_id = uuid.uuid4().hex
        self.partition = {"dataset": done_files.dataset, "model": model.name}
        self._storage = storage
        self._job = job
        self._model = model
        self._files = done_files
        self._predictions = predictions
        self._pointers = pointers
        self.done = Done()
        self._answered = _NONE

    def __call__(self, state: State) -> Changes | None:
        """The changes on top of `state`.

        Raises
        ------
        ConflictError
            The model is no longer registered, none of the structures is in the dataset, or others
            keep the latents of a layer as another type.
        """
        reader = Reader(self._storage, state)
        self._check_model(reader)
        self.done = self._files.read(reader)
        self._check_latent_types()
        there = self._structure_ids(reader)
        self._check_structures(there)
        predictions = self._new_predictions(self.done, there)
        pointers = self._new_pointers(self.done, there)
        self._answered = np.concatenate((_ids(predictions), _ids(pointers)))
        added: dict[str, list[DataFile]] = {}
        removed: dict[str, list[DataFile]] = {}
        for name, rows in (("predictions", predictions), ("embeddings", pointers)):
            if len(rows):
                added[name] = [self._write(name, rows)]
        old, new = self._without(reader, np.intersect1d(self.done.failed, self._answered))
        if old:
            removed["predictions"] = old
            added.setdefault("predictions", []).extend(new)
        return Changes(added=added, removed=removed, still_valid=self._still_valid)

    def _new_predictions(self, done: Done, there: Ids) -> pa.Table:
        ids = _ids(self._predictions)
        is_new = np.isin(ids, there) & ~np.isin(ids, done.predicted)
        if not self._job.only_failed:
            has_failed = self._predictions["status"].to_numpy() == "failed"
            is_new &= ~(has_failed & np.isin(ids, done.failed))
        return self._predictions.filter(pa.array(is_new))

    def _new_pointers(self, done: Done, there: Ids) -> pa.Table:
        ids = _ids(self._pointers)
        is_new = np.isin(ids, there)
        layers = self._pointers["layer"].to_numpy()
        for layer, known in done.latents.items():
            is_new &= ~((layers == layer) & np.isin(ids, known))
        return self._pointers.filter(pa.array(is_new))

    def _without(self, reader: Reader, ids: Ids) -> tuple[list[DataFile], list[DataFile]]:
        """The files that hold failed rows of these structures, and new ones without those rows.

        Each is written anew by itself: together they may be more than the memory holds. A row with
        numbers is written anew once a job at most: it then stands in a file without failed ones.
        """
        old, new = [], []
        for file in reader.files("predictions", **self.partition):
            mine = self._files.predictions[file.path]
            if not np.isin(mine.ids[mine.has_failed], ids).any():
                continue
            rows = reader.columns("predictions", [file], PREDICTIONS.names)
            rests = without_failed(rows, self._model.model_id, ids)
            new += [self._write("predictions", rest) for rest in rests if len(rest)]
            old.append(file)
        return old, new

    def _still_valid(self, planned_on: State, now: State) -> bool:
        """Whether nobody has added results for the same structures since, or taken any away."""
        if any(planned_on.table(name) != now.table(name) for name in ("structures", "models")):
            return False
        old, new = Reader(self._storage, planned_on), Reader(self._storage, now)
        if any(_paths(old, name, self) - _paths(new, name, self) for name in _RESULTS):
            return False
        before, after = self.done, self._files.read(new)
        return not (
            self._other_latent_types(after)
            or np.isin(self._answered, np.setdiff1d(after.predicted, before.predicted)).any()
            or np.isin(self._answered, np.setdiff1d(after.failed, before.failed)).any()
            or any(
                np.isin(self._answered, np.setdiff1d(ids, before.latents.get(layer, _NONE))).any()
                for layer, ids in after.latents.items()
            )
        )

    def _structure_ids(self, reader: Reader) -> Ids:
        """Structures the dataset holds; the files are small beside what was computed."""
        files = reader.files("structures", dataset=self.partition["dataset"])
        return _ids(reader.columns("structures", files, ("structure_id",)))

    def _check_model(self, reader: Reader) -> None:
        ids = reader.columns("models", reader.files("models"), ("model_id",))["model_id"]
        if self._model.model_id not in ids.to_pylist():
            raise ConflictError(
                f"Model {self._model.name} was taken out of {self._storage.uri} while it was "
                "computed. Nothing was committed. Register it and run the same command again."
            )

    def _other_latent_types(self, done: Done) -> dict[tuple[str, str], int]:
        layers = self._pointers["layer"].unique().to_pylist()
        return done.other_latent_types(layers, self._job.latents_dtype)

    def _check_latent_types(self) -> None:
        """Refuse to mix types in a layer, whatever another job has begun to keep it as."""
        for (layer, dtype), n in self._other_latent_types(self.done).items():
            raise ConflictError(
                f"Another job has kept the latents of {n:,} structures of "
                f"{self.partition['dataset']} by {self._model.name}, layer {layer}, as {dtype}, "
                f"and these are {self._job.latents_dtype}. A layer of one dataset and model has "
                "one type. What was computed since the last commit was not stored. Run the same "
                f"command again with --latents-dtype {dtype}."
            )

    def _check_structures(self, there: Ids) -> None:
        computed = np.concatenate((_ids(self._predictions), _ids(self._pointers)))
        if not np.isin(computed, there).any():
            raise ConflictError(
                f"The structures of {self.partition['dataset']} were dropped from "
                f"{self._storage.uri} while they were computed. What was computed since the last "
                "commit was not stored. Ingest them and run the same command again."
            )

    def _write(self, name: str, rows: pa.Table) -> DataFile:
        file_name = f"{self.operation_id}-{uuid.uuid4().hex[:8]}"
        return write_data_file(self._storage, TABLES[name], self.partition, file_name, rows)


def _paths(reader: Reader, name: str, plan: Plan) -> set[str]:
    return {file.path for file in reader.files(name, **plan.partition)}


def _ids(rows: pa.Table) -> Ids:
    return np.asarray(rows["structure_id"].to_numpy(), np.int64)
