"""Where results come down: latents into a store, rows into a commit, only what is still missing."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import numpy as np
import pyarrow.compute as pc

from compute.jobs.done import Done, DoneFiles, Ids
from compute.jobs.job import Job, JobModel
from compute.jobs.missing import is_among
from compute.worker.interval import Interval
from compute.worker.outcomes import Evaluated, Failure
from compute.worker.plan import Plan
from compute.worker.rows import failure_rows, joined, pointer_rows, prediction_rows
from lake.lake import Lake
from lake.latents.latent_writer import LatentStoreWriter

MOST_STRUCTURES = 100_000  # of an interval: each takes some kilobytes until it is committed


class Landing:
    """Takes the results of one model on one dataset, and commits them at intervals.

    Parameters
    ----------
    layers
        Names in the lake of the layers that are kept, by index.
    definitions
        What the latent of each of these layers is, by name.
    dtype
        What was computed in.
    stored
        Structures that have latents already, by the name of the layer.

    Attributes
    ----------
    done
        What everybody had done before the last commit, once there was one.
    """

    def __init__(
        self,
        lake: Lake,
        job: Job,
        model: JobModel,
        done_files: DoneFiles,
        *,
        layers: Mapping[int, str],
        definitions: Mapping[str, Mapping[str, object]],
        dtype: str | None,
        stored: Mapping[str, Ids],
    ) -> None:
        self._lake = lake
        self._job = job
        self._model = model
        self._files = done_files
        self._layers = layers
        self._definitions = {name: json.dumps(d, sort_keys=True) for name, d in definitions.items()}
        self._dtype = dtype
        self._stored = {name: np.sort(ids) for name, ids in stored.items()}
        self._interval = Interval()
        self.done: Done | None = None

    def add(self, outcome: Evaluated | Failure) -> None:
        """Take what became of a batch, or of one structure."""
        interval, model, job = self._interval, self._model, self._job
        if isinstance(outcome, Failure):
            interval.failures.append(outcome)
            interval.n_structures += 1
            return
        rows = prediction_rows(outcome, model, job, self._dtype)
        if job.task == "latents":  # the energy may be without forces: not a prediction
            rows = rows.filter(pc.equal(rows["status"], "failed"))
        interval.add_rows(rows)
        interval.n_structures += len(outcome.batch)
        interval.n_atoms += int(outcome.n_atoms.sum())
        self._add_latents(outcome)

    def _add_latents(self, outcome: Evaluated) -> None:
        """Write the latents that are wanted and not there; `Plan` looks again at the commit."""
        ids = np.array([member.structure_id for member in outcome.batch], np.int64)
        is_good = np.ones(len(ids), bool)
        is_good[list(outcome.reasons)] = False
        for index, name in self._layers.items():
            is_new = is_good
            if name in self._stored:
                is_new = is_good & ~is_among(ids, self._stored[name])
            if not is_new.any():
                continue
            latents = outcome.results.latents[index]
            self._interval.pointers += self._store().extend(
                ids[is_new].tolist(),
                outcome.n_atoms[is_new].tolist(),
                latents if is_new.all() else latents[np.repeat(is_new, outcome.n_atoms)],
                layer=name,
            )

    def _store(self) -> LatentStoreWriter:
        """The store of this interval, made when it is first needed."""
        interval = self._interval
        if interval.store is None:
            interval.store = LatentStoreWriter(
                self._lake.storage, self._job.job_id, dtype=self._job.latents_dtype
            )
        return interval.store

    @property
    def is_due(self) -> bool:
        """Whether it is time to commit."""
        interval, limits = self._interval, self._job.limits
        waited_s = time.monotonic() - interval.started_s
        is_full = interval.n_atoms >= limits.commit_atoms
        is_full |= interval.n_structures >= MOST_STRUCTURES
        return is_full or waited_s >= limits.commit_every_s

    def commit(self) -> int | None:
        """Commit what was computed since the last time; the version of the lake, if there is one.

        Raises
        ------
        ConflictError
            The model or the structures are gone from the lake, or another job keeps the latents of
            a layer as another type.
        """
        interval = self._interval
        if interval.store is not None:
            interval.store.close()
        # From here on the rows may be committed even if we are told of an error: the store stays.
        self._interval = Interval()
        if interval.is_empty:
            return None
        failures = failure_rows(interval.failures, self._model, self._job, self._dtype)
        predictions = joined([interval.rows(), failures])
        pointers = pointer_rows(interval.pointers, self._definitions, self._model, self._job)
        plan = Plan(self._lake.storage, self._job, self._model, self._files, predictions, pointers)
        version = self._lake.commit(
            f"compute {self._job.task}",
            plan,
            arguments=plan.partition | self._job.arguments(),
            inputs={self._model.path: self._model.sha256},
            operation_id=plan.operation_id,
        )
        self.done = plan.done
        return version

    def abandon(self) -> None:
        """Take away what was written and not committed."""
        if self._interval.store is not None:
            self._interval.store.abandon()
