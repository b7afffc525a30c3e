"""A model on a dataset, within this process: what is told of what became of the structures."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from landing_samples import MODEL, copper_lake, job, rows

from compute.engines.engine import EvaluationError, Graph, ModelFacts, Results, Wanted
from compute.jobs.chosen import pack_ids
from compute.jobs.job import Job
from compute.worker.budget import AdaptiveBudget
from compute.worker.evaluation import Evaluation
from lake.lake import Lake


class Loud:
    """An engine whose latents are too large for float16, and which cannot join all structures."""

    facts = ModelFacts(dtype="float64", layers=(2,))
    device_name = "cpu"

    def latent_definition(self, layer: int) -> Mapping[str, Any]:
        return {}

    def collate(self, graphs: Sequence[Graph]) -> Sequence[Graph]:
        if len(graphs) > 3:
            raise EvaluationError("more than three")
        return graphs

    def evaluate(self, batch: Sequence[Graph], wanted: Wanted) -> Results:
        n_atoms = sum(graph.n_atoms for graph in batch)
        latents = {layer: np.full((n_atoms, 2), 1e5, np.float32) for layer in wanted.layers}
        return Results(np.zeros(len(batch)), np.zeros((n_atoms, 3)), None, latents)

    def memory_bytes(self) -> None:
        return None


class Told(Counter[str]):
    """What was told, by kind, and the reasons."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: set[str] = set()

    def __call__(self, kind: str, n_structures: int, n_atoms: int = 0, reason: str = "") -> None:
        self[kind] += n_structures
        self.reasons |= {reason} - {""}


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return copper_lake(tmp_path)


def evaluate(lk: Lake, of: Job) -> Told:
    told = Told()
    budget = AdaptiveBudget(Loud(), "mace", "key", None, None)
    Evaluation(lk, of, MODEL, "cu", Loud(), budget, threading.Event()).run(told)
    return told


def test_a_batch_that_cannot_be_joined_is_halved(lk: Lake) -> None:
    assert evaluate(lk, job())["ok"] == 10
    assert len(rows(lk)) == 10


def test_latents_that_cannot_be_kept_leave_the_prediction_and_are_told(lk: Lake) -> None:
    chosen = {"cu": pack_ids(np.arange(1, 5))}
    evaluate(lk, job(where="structure_id <= 4", chosen=chosen))
    told = evaluate(lk, job(latents="last", latents_dtype="float16"))
    assert (told["ok"], told["failed"], told["unkept"]) == (0, 10, 4)
    assert told.reasons == {"the model gave latents of layer 0 beyond 65504"}
    assert [row["status"] for row in rows(lk)] == ["ok"] * 4 + ["failed"] * 6
    again = evaluate(lk, job(latents="last", latents_dtype="float16"))
    assert (again["failed"], again["unkept"]) == (4, 4)
    single = evaluate(lk, job(latents="last"))
    assert (single["ok"], single["unkept"]) == (4, 0)
    assert lk.check() == []
