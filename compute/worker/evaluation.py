"""One model on one dataset: reading, neighbours, forward passes and writing, all at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol
from zlib import crc32

import numpy as np

from compute.engines.engine import Engine, EvaluationError, Wanted
from compute.jobs.done import DoneFiles, Ids
from compute.jobs.job import Job, JobModel
from compute.jobs.missing import is_done, layer_names, missing_places
from compute.worker.batches import Member, cut
from compute.worker.budget import AdaptiveBudget
from compute.worker.landing import Landing
from compute.worker.outcomes import Evaluated, Failure, evaluate
from compute.worker.overlap import map_in_order, run_ahead
from compute.worker.structures import COLUMNS, Structure, prepare, read_groups
from compute.worker.writing import writing
from lake.lake import Lake
from lake.latents.latent_layer import LARGEST_HALF
from lake.rows.row_index import Places
from lake.rows.row_reader import RowReader

GROUPS_AHEAD = 8
BATCHES_AHEAD = 2


class Tell(Protocol):
    """Called with ``ok``, ``failed``, ``skipped`` or ``unkept``, and how many structures."""

    def __call__(self, kind: str, n_structures: int, n_atoms: int = 0, reason: str = "") -> None:
        """Count them."""
        ...


@dataclass(frozen=True, eq=False)
class Ready:
    """A batch, collated for the engine; None where that failed."""

    batch: list[Member]
    collated: Any


class Evaluation:
    """One model on what is missing of one dataset.

    Parameters
    ----------
    stop
        Set by another thread when the job is to end early; what is done by then is committed.
    """

    def __init__(
        self,
        lake: Lake,
        job: Job,
        model: JobModel,
        dataset: str,
        engine: Engine,
        budget: AdaptiveBudget,
        stop: threading.Event,
    ) -> None:
        self._job = job
        self._engine = engine
        self._budget = budget
        self._stop = stop
        self._layers = layer_names(len(engine.facts.layers), job.latents)
        self._names = tuple(self._layers.values())
        done_files = DoneFiles(dataset, model)
        reader = lake.reader
        self._rows = RowReader(reader, "structures", columns=COLUMNS, dataset=dataset)
        done = done_files.read(reader)
        places = missing_places(job, dataset, self._rows.index, done, self._names)
        # Jobs that overlap begin at different structures, and so share the work instead of doing
        # the same at the same time.
        self._places: Places = np.roll(places, -(crc32(job.job_id.encode()) % max(len(places), 1)))
        self._ids = self._rows.index.ids_at(self._places)
        # Of these no failed row can be kept beside the prediction.
        self._predicted: Ids = np.sort(self._ids[np.isin(self._ids, done.predicted)])
        self._finished: Ids = np.empty(0, np.int64)
        self._landing = Landing(
            lake,
            job,
            model,
            done_files,
            layers=self._layers,
            definitions={
                name: engine.latent_definition(index) for index, name in self._layers.items()
            },
            dtype=job.dtype or engine.facts.dtype,
            stored=done.latents,
        )

    def __len__(self) -> int:
        """Structures to be computed."""
        return len(self._places)

    def run(self, tell: Tell) -> None:
        """Compute and commit, until nothing is missing or the stop is set."""
        wanted = Wanted(self._job.task == "predict", tuple(self._layers))
        largest = LARGEST_HALF if self._job.latents_dtype == "float16" else np.inf
        with ExitStack() as stack:
            writer = stack.enter_context(writing(self._landing, self._after_commit))
            pool = stack.enter_context(ThreadPoolExecutor(_preparing_threads()))
            read = read_groups(self._rows, self._places)
            groups = stack.enter_context(run_ahead(read, GROUPS_AHEAD))
            batches = self._ready(pool, groups, tell)
            ready = stack.enter_context(run_ahead(batches, BATCHES_AHEAD))
            for item in ready:
                outcomes = (
                    [item]
                    if isinstance(item, Failure)
                    else evaluate(
                        self._engine, item.batch, item.collated, wanted, self._budget, largest
                    )
                )
                for outcome in outcomes:
                    writer.put(outcome)
                    self._count(outcome, tell)
                if self._stop.is_set():
                    break
        self._budget.keep()

    def _ready(
        self,
        pool: ThreadPoolExecutor,
        groups: Iterator[list[Structure]],
        tell: Tell,
    ) -> Iterator[Ready | Failure]:
        """Batches for the engine, and structures the model cannot have."""
        facts = self._engine.facts
        prepared = map_in_order(pool, lambda group: prepare(group, facts), groups, GROUPS_AHEAD)
        for item in cut(self._unfinished(prepared, tell), self._budget.now):
            if isinstance(item, Failure):
                yield item
            else:
                yield Ready(item, self._collated(item))

    def _collated(self, batch: list[Member]) -> Any:
        """The batch as the engine takes it; None where that fails: `evaluate` halves it."""
        try:
            return self._engine.collate([member.graph for member in batch])
        except (MemoryError, EvaluationError):
            return None

    def _unfinished(
        self,
        prepared: Iterator[list[Member | Failure]],
        tell: Tell,
    ) -> Iterator[Member | Failure]:
        """What nobody has computed until this moment."""
        for group in prepared:
            for item in group:
                if _contains(self._finished, item.structure_id):
                    tell("skipped", 1)
                else:
                    yield item

    def _count(self, outcome: Evaluated | Failure, tell: Tell) -> None:
        if isinstance(outcome, Failure):
            reasons = {outcome.structure_id: outcome.reason}
        else:
            reasons = {outcome.batch[i].structure_id: why for i, why in outcome.reasons.items()}
            tell("ok", len(outcome.batch) - len(reasons), int(outcome.n_atoms.sum()))
        tell("failed", len(reasons))
        for structure_id, why in reasons.items():
            if _contains(self._predicted, structure_id):
                tell("unkept", 1, reason=why)

    def _after_commit(self) -> None:
        """Learn what others have done since."""
        if self._landing.done is not None and not self._job.only_failed:
            finished = is_done(self._ids, self._landing.done, self._job, self._names)
            self._finished = np.sort(self._ids[finished])


def _contains(sorted_ids: Ids, structure_id: int) -> bool:
    at = int(sorted_ids.searchsorted(structure_id))
    return at < len(sorted_ids) and int(sorted_ids[at]) == structure_id


def _preparing_threads() -> int:
    return max(1, min(4, len(os.sched_getaffinity(0)) - 1))
