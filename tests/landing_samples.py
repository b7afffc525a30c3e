"""What is landed in the tests of compute/worker: batches and failures on a lake of copper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lake_samples import append, ingest, model

import lake
from compute.engines.engine import Graph, Results
from compute.jobs.done import DoneFiles
from compute.jobs.job import Job, JobModel
from compute.jobs.missing import missing_places
from compute.worker.batches import Member
from compute.worker.landing import Landing
from compute.worker.outcomes import Evaluated
from compute.worker.plan import Plan
from lake.lake import Lake
from lake.rows.row_index import RowIndex

MODEL = JobModel("m1", 7, "mace", "m", "0")
N_FEATURES = 4


def copper_lake(folder: Path) -> Lake:
    """Ten structures of two atoms and a registered model that has computed nothing."""
    lk = lake.create(str(folder / "lake"))
    ingest(lk, range(1, 11))
    append(lk, models=[model()])
    return lk


def job(**more: Any) -> Job:
    return Job("job", "uri", **{"task": "predict", "models": (MODEL,), "datasets": ("cu",)} | more)


def landing(lk: Lake, of: Job | None = None, *, layers: dict[int, str] | None = None) -> Landing:
    names = (layers or {}).values()
    return Landing(
        lk,
        of or job(),
        MODEL,
        DoneFiles("cu", MODEL),
        layers=layers or {},
        definitions={name: {"engine": "mace", "layer": name} for name in names},
        dtype="float64",
        stored=DoneFiles("cu", MODEL).read(lk.reader).latents,
    )


def evaluated(*ids: int, energy: float = 1.0, failed: dict[int, str] | None = None) -> Evaluated:
    """Two atoms each, as the structures of `lake_samples` have."""
    pbc = np.zeros(3, bool)
    graph = Graph(
        np.full(2, 29),
        np.zeros((2, 3)),
        np.zeros((3, 3)),
        pbc,
        np.zeros((2, 0), int),
        np.zeros((0, 3)),
    )
    k = len(ids)
    results = Results(
        np.full(k, energy) + np.array(ids),
        np.arange(6.0 * k).reshape(-1, 3),
        np.full((k, 6), np.nan),
        {1: np.arange(2.0 * k * N_FEATURES, dtype=np.float32).reshape(-1, N_FEATURES)},
    )
    return Evaluated([Member(i, graph) for i in ids], results, failed or {})


def rows(lk: Lake) -> list[dict[str, Any]]:
    return lk.scan("predictions").sort("structure_id").collect().to_dicts()


def missing(lk: Lake, of: Job | None = None, layers: tuple[str, ...] = ()) -> list[int]:
    reader = lk.reader
    index = RowIndex(lk.storage, "structures", reader.files("structures", dataset="cu"))
    done = DoneFiles("cu", MODEL).read(reader)
    places = missing_places(of or job(), "cu", index, done, layers)
    return sorted(index.ids_at(places).tolist())


def do_between(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> list[int]:
    """Do something after the first plan that is made, and before its entry; versions planned on."""
    original = Plan.__call__
    versions: list[int] = []

    def planned(self: Plan, state: Any) -> Any:
        changes = original(self, state)
        versions.append(state.version)
        if len(versions) == 1:
            action()
        return changes

    monkeypatch.setattr(Plan, "__call__", planned)
    return versions
