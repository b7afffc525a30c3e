"""Committing results: only what is missing, whoever else commits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lake_samples import append, count, ingest, model

import lake
from compute.engines.engine import Graph, Results
from compute.jobs.job import Job, JobModel, Shard
from compute.jobs.missing import DoneFiles, in_shard, missing_places
from compute.worker.batches import Member
from compute.worker.interval import PARTS_AT_ONCE, Interval
from compute.worker.landing import Landing
from compute.worker.outcomes import Evaluated, Failure
from compute.worker.plan import Plan
from compute.worker.rows import prediction_rows
from compute.worker.writing import OUTCOMES_AHEAD, Writer
from lake.errors import ConflictError, StorageError
from lake.lake import Lake
from lake.rows.row_index import RowIndex

MODEL = JobModel("m1", 7, "mace", "m", "0")
N_FEATURES = 4


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    lk = lake.create(str(tmp_path / "lake"))
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
    return sorted(index.ids_at(missing_places(reader, of or job(), index, done, layers)).tolist())


def test_numbers_come_back_as_they_were_computed(lk: Lake) -> None:
    here = landing(lk)
    here.add(evaluated(1, 2))
    here.add(Failure(3, 2, "too large"))
    here.commit()
    first, second, third = rows(lk)
    assert (first["energy"], second["energy"], third["energy"]) == (2.0, 3.0, None)
    assert second["forces"] == {"x": [6.0, 9.0], "y": [7.0, 10.0], "z": [8.0, 11.0]}
    assert second["stress"] is None
    assert (third["status"], third["error"]) == ("failed", "too large")
    assert first["dtype"] == "float64"
    assert lk.check() == []
    assert missing(lk) == list(range(4, 11))


def test_a_member_without_numbers_is_a_failed_row(lk: Lake) -> None:
    here = landing(lk, layers={1: "last"})
    here.add(evaluated(1, 2, failed={0: "the model gave NaN"}))
    here.commit()
    assert [(row["status"], row["energy"]) for row in rows(lk)] == [("failed", None), ("ok", 3.0)]
    assert lk.scan("embeddings").collect()["structure_id"].to_list() == [2]
    assert lk.check() == []


def test_what_another_job_committed_is_left_alone(lk: Lake) -> None:
    mine, theirs = landing(lk, layers={1: "last"}), landing(lk)
    mine.add(evaluated(1, 2, energy=100.0))
    theirs.add(evaluated(2, 3))
    theirs.commit()
    mine.commit()
    assert [row["energy"] for row in rows(lk)] == [101.0, 3.0, 4.0]
    # The others had no latents: these are new for both of ours.
    assert lk.scan("embeddings").collect()["structure_id"].sort().to_list() == [1, 2]
    assert lk.check() == []


def test_both_at_the_same_moment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other commits after our plan and before our entry."""
    mine, theirs = landing(lk), landing(lk)
    mine.add(evaluated(1, 2, energy=100.0))
    theirs.add(evaluated(2, 3))
    original, calls = Plan.__call__, []

    def planned(self: Plan, state: Any) -> Any:
        changes = original(self, state)
        calls.append(state.version)
        if len(calls) == 1:
            theirs.commit()
        return changes

    monkeypatch.setattr(Plan, "__call__", planned)
    mine.commit()
    assert len(calls) == 3  # ours, theirs, ours again
    assert [(row["structure_id"], row["energy"]) for row in rows(lk)] == [
        (1, 101.0),
        (2, 3.0),
        (3, 4.0),
    ]
    assert lk.check() == []


def do_between(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Do something after the first plan that is made, and before its entry."""
    original, calls = Plan.__call__, []

    def planned(self: Plan, state: Any) -> Any:
        changes = original(self, state)
        calls.append(state.version)
        if len(calls) == 1:
            action()
        return changes

    monkeypatch.setattr(Plan, "__call__", planned)


def test_both_fail_at_the_same_moment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = landing(lk), landing(lk)
    mine.add(Failure(1, 2, "mine"))
    theirs.add(Failure(1, 2, "theirs"))
    do_between(monkeypatch, theirs.commit)
    assert mine.commit() is None
    assert [row["error"] for row in rows(lk)] == ["theirs"]


def test_both_write_latents_at_the_same_moment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    of = job(task="latents", latents="last")
    mine, theirs = (landing(lk, of, layers={1: "last"}) for _ in range(2))
    mine.add(evaluated(1, 2))
    theirs.add(evaluated(2, 3))
    do_between(monkeypatch, theirs.commit)
    mine.commit()
    assert lk.scan("embeddings").collect()["structure_id"].sort().to_list() == [1, 2, 3]
    assert lk.check() == []


def test_structures_dropped_at_the_same_moment_get_no_rows(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = landing(lk)
    here.add(evaluated(1))
    do_between(monkeypatch, lambda: lk.drop(dataset="cu"))
    with pytest.raises(ConflictError, match="cu were dropped"):
        here.commit()
    assert count(lk, "predictions") == 0


def test_results_dropped_at_the_same_moment_are_written_anew(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = landing(lk)
    first.add(evaluated(1))
    first.commit()
    here = landing(lk)
    here.add(evaluated(1, 2))
    do_between(monkeypatch, lambda: lk.drop(dataset="cu", model="m1"))
    here.commit()
    assert [row["structure_id"] for row in rows(lk)] == [1, 2]


def test_rows_of_a_file_that_had_the_name_before_are_left_alone(lk: Lake) -> None:
    before = landing(lk)
    before.add(evaluated(1))
    before.add(Failure(2, 2, "of the other file"))
    before.commit()
    append(lk, models=[model(model_id=8)])
    now = replace(MODEL, model_id=8)
    done = DoneFiles("cu", now).read(lk.reader)
    assert (done.predicted.tolist(), done.failed.tolist()) == ([], [])
    for outcome in (Failure(2, 2, "of this file"), evaluated(2)):
        of = job(models=(now,), only_failed=True)
        more = {"layers": {}, "definitions": {}, "dtype": None, "stored": {}}
        here = Landing(lk, of, now, DoneFiles("cu", now), **more)
        here.add(outcome)
        here.commit()
        lk.optimize()  # the failures of both models in one file
    found = [(row["model_id"], row["structure_id"], row["error"]) for row in rows(lk)]
    assert sorted(found, key=str) == [(7, 1, None), (7, 2, "of the other file"), (8, 2, None)]


def test_a_job_on_other_structures_needs_no_second_plan(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = landing(lk), landing(lk)
    mine.add(evaluated(1))
    theirs.add(evaluated(2))
    original, calls = Plan.__call__, []

    def planned(self: Plan, state: Any) -> Any:
        changes = original(self, state)
        calls.append(state.version)
        if len(calls) == 1:
            theirs.commit()
        return changes

    monkeypatch.setattr(Plan, "__call__", planned)
    mine.commit()
    assert len(calls) == 2
    assert count(lk, "predictions") == 2


def test_an_answer_takes_the_place_of_a_reason(lk: Lake) -> None:
    first = landing(lk)
    first.add(evaluated(1))
    first.add(Failure(2, 2, "too large"))
    first.add(Failure(3, 2, "too large"))
    first.commit()
    assert missing(lk) == list(range(4, 11))
    again = job(only_failed=True)
    assert missing(lk, again) == [2, 3]
    second = landing(lk, again)
    second.add(evaluated(2))
    second.add(Failure(3, 2, "still too large"))
    second.commit()
    assert [(row["status"], row["error"]) for row in rows(lk)] == [
        ("ok", None),
        ("ok", None),
        ("failed", "still too large"),
    ]
    assert lk.check() == []
    assert missing(lk, again) == [3]


def test_answers_to_failures_in_many_files_leave_the_files_apart(lk: Lake) -> None:
    for i in (1, 3, 5):
        first = landing(lk)
        first.add(evaluated(i))
        first.add(Failure(i + 1, 2, "too large"))
        first.commit()
    alone = landing(lk)
    alone.add(Failure(7, 2, "too large"))
    alone.commit()
    second = landing(lk, job(only_failed=True))
    second.add(evaluated(2, 4, 6, 7))
    second.commit()
    assert [row["structure_id"] for row in rows(lk) if row["status"] == "ok"] == list(range(1, 8))
    # Never all at once in memory: one file of answers, and each of the three by itself.
    assert len(lk.reader.files("predictions")) == 4
    assert lk.check() == []


def test_a_failure_does_not_replace_an_answer_or_an_earlier_reason(lk: Lake) -> None:
    first = landing(lk)
    first.add(evaluated(1))
    first.add(Failure(2, 2, "first"))
    first.commit()
    second = landing(lk)
    second.add(Failure(1, 2, "second"))
    second.add(Failure(2, 2, "second"))
    assert second.commit() is None
    assert [row["error"] for row in rows(lk)] == [None, "first"]


def test_latents_alone_are_no_predictions(lk: Lake) -> None:
    of = job(task="latents", latents="last")
    here = landing(lk, of, layers={1: "last"})
    here.add(evaluated(1, 2))
    here.add(Failure(3, 2, "unknown element"))
    here.commit()
    assert [(row["structure_id"], row["status"]) for row in rows(lk)] == [(3, "failed")]
    assert missing(lk, of, ("last",)) == list(range(4, 11))
    assert missing(lk) == [1, 2, *range(4, 11)]
    batch = next(iter(lk.latents(dataset="cu", model="m1")))
    assert batch.num_rows == 4
    assert lk.check() == []


def test_predictions_without_latents_are_computed_again_for_them(lk: Lake) -> None:
    here = landing(lk)
    here.add(evaluated(1, 2))
    here.commit()
    of = job(latents="last")
    assert missing(lk, of, ("last",)) == list(range(1, 11))
    here = landing(lk, of, layers={1: "last"})
    here.add(evaluated(1, 2, energy=100.0))
    here.commit()
    assert [row["energy"] for row in rows(lk)] == [2.0, 3.0]
    assert missing(lk, of, ("last",)) == list(range(3, 11))


def test_latents_that_are_there_are_not_written_again(lk: Lake) -> None:
    here = landing(lk, layers={1: "last"})
    here.add(evaluated(1, 2))
    here.commit()
    before = sum(file.size for file in lk.storage.list_files("latents"))
    here = landing(lk, job(latents="last"), layers={1: "last"})
    here.add(evaluated(1, 2))
    assert here.commit() is None
    assert sum(file.size for file in lk.storage.list_files("latents")) == before
    here.add(evaluated(1, 2, 3, failed={1: "the model gave NaN"}))
    here.commit()
    pointers = lk.scan("embeddings").sort("structure_id").collect()
    assert pointers["structure_id"].to_list() == [1, 2, 3]
    latents = {
        row["structure_id"]: row["latent"]
        for batch in lk.latents(dataset="cu", model="m1")
        for row in batch.to_pylist()
    }
    assert latents[3] == [20.0, 21.0, 22.0, 23.0]
    assert lk.check() == []


def test_structures_dropped_meanwhile_are_an_error(lk: Lake) -> None:
    here = landing(lk, layers={1: "last"})
    here.add(evaluated(1, 2))
    lk.drop(dataset="cu")
    with pytest.raises(ConflictError, match="cu were dropped"):
        here.commit()
    assert count(lk, "predictions") == 0
    assert lk.check() == []


def test_a_model_taken_out_meanwhile_is_an_error(lk: Lake) -> None:
    here = landing(lk)
    here.add(evaluated(1))
    old = lk.reader.files("models")
    from lake.log.transaction import Changes

    lk.commit("model remove", lambda state: Changes(removed={"models": old}))
    with pytest.raises(ConflictError, match="m1 was taken out"):
        here.commit()


def test_nothing_computed_commits_nothing(lk: Lake) -> None:
    before = lk.version
    assert landing(lk).commit() is None
    assert lk.version == before


@pytest.mark.parametrize("of", [1, 3, 7])
def test_shards_are_disjoint_and_hold_everything(of: int) -> None:
    ids = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 1000)
    parts = [set(ids[in_shard(ids, Shard(k, of))].tolist()) for k in range(1, of + 1)]
    assert set().union(*parts) == set(ids.tolist())
    assert sum(map(len, parts)) == len(set(ids.tolist()))
    for k in range(1, of + 1):
        again = [set(ids[in_shard(ids, Shard(k, of).part(j, 2))].tolist()) for j in (1, 2)]
        assert again[0] | again[1] == parts[k - 1]
        assert not again[0] & again[1]


def test_an_interval_ends_with_so_many_structures_failed_ones_too(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compute.worker.landing.MOST_STRUCTURES", 4)
    here = landing(lk)
    here.add(evaluated(1, 2))
    here.add(Failure(3, 2, "too large"))
    assert not here.is_due
    here.add(Failure(4, 2, "too large"))
    assert here.is_due
    here.commit()
    assert [row["status"] for row in rows(lk)] == ["ok", "ok", "failed", "failed"]
    assert not here.is_due


def test_rows_that_come_one_by_one_are_put_together() -> None:
    interval = Interval()
    for i in range(2 * PARTS_AT_ONCE + 10):
        interval.add_rows(prediction_rows(evaluated(i), MODEL, job(), "float64"))
    found = interval.rows()
    assert found["structure_id"].to_pylist() == list(range(2 * PARTS_AT_ONCE + 10))
    assert found["structure_id"].num_chunks < PARTS_AT_ONCE


def test_a_store_that_cannot_be_finished_is_taken_away(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = type(lk.storage).put

    def full(self: Any, path: str, data: bytes) -> None:
        if path.endswith("manifest.json"):
            raise StorageError("No space left on device.")
        put(self, path, data)

    monkeypatch.setattr(type(lk.storage), "put", full)
    here = landing(lk, layers={1: "last"})
    with pytest.raises(StorageError, match="No space"), Writer(here, lambda: None) as writer:
        writer.put(evaluated(1, 2))
    assert [path for path in Path(lk.storage.uri, "latents").rglob("*") if path.is_file()] == []
    assert count(lk, "predictions") == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_cannot_clean_up_keeps_nobody_waiting(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("gone")

    monkeypatch.setattr(Landing, "add", fail)
    monkeypatch.setattr(Landing, "abandon", fail)
    writer = Writer(landing(lk), lambda: None)
    with writer:
        thread = threading.Thread(target=_put_all, args=(writer,), daemon=True)
        thread.start()
        thread.join(timeout=5)
        assert not thread.is_alive()
        writer._error = None  # it was seen


def _put_all(writer: Writer) -> None:
    for i in range(3 * OUTCOMES_AHEAD):
        writer._queue.put(Failure(i, 1, ""))  # its own `put` may see the error first
