"""Vacuum beside operations that are under way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lake_samples import append, files, ids, ingest, latents, raw_ids, structure, two_ingests
from vacuum_samples import age, crash

from lake.errors import ConflictError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store
from lake.log import transaction
from lake.log.changes import Changes
from lake.log.holes import close_holes
from lake.log.state import State


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return two_ingests(tmp_path / "lake")


def writer_overtaken_by(
    lk: Lake, monkeypatch: pytest.MonkeyPatch, others: Callable[[], object]
) -> None:
    """Let others act after the next operation has written its entries, before it commits."""
    put_commit, calls = transaction.put_commit, []

    def slow(*arguments):
        if not calls:
            calls.append(1)
            others()
        return put_commit(*arguments)

    monkeypatch.setattr(transaction, "put_commit", slow)


def test_a_live_writer_whose_entry_was_closed_writes_another(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Lake(lk.storage)

    def close_while_it_waits() -> None:
        for entry in (lk.storage.root / "structures" / "_delta_log").glob("*.json"):
            os.utime(entry, (1.0, 1.0))  # the entry is old, the file it names is not
        other.vacuum(dry_run=False)

    writer_overtaken_by(lk, monkeypatch, close_while_it_waits)
    added = files(lk, "structures", [structure(3)])
    plans = []
    version = lk.commit(
        "append", lambda state: (plans.append(state), Changes(added={"structures": added}))[1]
    )
    assert len(plans) == 2
    assert version == 4
    assert ids(lk) == raw_ids(lk) == [1, 2, 3]
    assert ids(lk.at(3)) == [1, 2]
    assert lk.check() == []


def test_an_operation_that_took_longer_than_keep_days_fails_and_points_at_nothing(
    lk: Lake,
) -> None:
    added = files(lk, "structures", [structure(3)])
    age(lk)
    assert len(lk.vacuum(dry_run=False)) == 1
    with pytest.raises(ConflictError, match="keep-days"):
        lk.commit("append", lambda state: Changes(added={"structures": added}))
    assert ids(lk) == [1, 2]
    assert lk.check() == []


def test_files_named_by_a_young_entry_stay_however_old_they_are(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = files(lk, "structures", [structure(3)])
    with open_latent_store(lk.storage, "slow") as writer:
        pointer = writer.append(1, latents(2))
    row = {"dataset": "cu", "model": "m", "model_id": 7, **pointer.as_row()}
    pointers = files(lk, "embeddings", [row])
    age(lk)
    other = Lake(lk.storage)
    writer_overtaken_by(
        lk, monkeypatch, lambda: (other.vacuum(dry_run=False), ingest(other, [9], source_id=9))
    )
    plan = Changes(added={"structures": added, "embeddings": pointers})
    assert lk.commit("append", lambda state: plan) == 4
    assert ids(lk) == [1, 2, 3, 9]
    assert lk.vacuum(dry_run=False, keep_days=0).is_empty()


def test_files_deleted_while_an_operation_waits_for_its_version_are_not_pointed_at(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    (added,) = files(lk, "structures", [structure(3)])
    other = Lake(lk.storage)

    def delete() -> None:
        ingest(other, [9], source_id=9)
        other.storage.delete(f"structures/{added.path}")

    writer_overtaken_by(lk, monkeypatch, delete)
    monkeypatch.setattr(transaction, "RECHECK_S", 0.0)
    with pytest.raises(ConflictError, match="keep-days"):
        lk.commit("append", lambda state: Changes(added={"structures": [added]}))
    assert ids(lk) == [1, 2, 9]
    assert lk.check() == []


def test_rows_that_point_at_latents_vacuum_took_are_not_committed(lk: Lake) -> None:
    with open_latent_store(lk.storage, "slow") as writer:
        pointer = writer.append(1, latents(2))
    age(lk)
    assert lk.vacuum(dry_run=False).height > 0
    row = {"dataset": "cu", "model": "m", "model_id": 7, **pointer.as_row()}
    with pytest.raises(ConflictError, match=r"latents/slow.*keep-days"):
        append(lk, embeddings=[row])
    assert lk.check() == []


def test_an_entry_overtaken_by_one_that_brings_its_files_back_is_written_again(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = tuple(lk.reader.files("structures"))
    dead = crash(lk, [structure(1), structure(2)], removed=both)
    other = Lake(lk.storage)

    def close_the_dead_one() -> None:
        entry = lk.storage.root / "structures" / "_delta_log" / f"{dead:020}.json"
        os.utime(entry, (1.0, 1.0))
        other.vacuum(dry_run=False)

    writer_overtaken_by(lk, monkeypatch, close_the_dead_one)
    lk.drop(dataset="cu")
    assert ids(lk) == []
    assert lk.check() == []


@pytest.mark.parametrize("n_plans", [2, 3])
def test_a_later_attempt_whose_file_was_undone_with_an_earlier_one_writes_another(
    lk: Lake, monkeypatch: pytest.MonkeyPatch, n_plans: int
) -> None:
    other, put_commit, calls = Lake(lk.storage), transaction.put_commit, []
    log = lk.storage.root / "structures" / "_delta_log"
    added = files(lk, "structures", [structure(3)])
    plans: list[int] = []

    def slow(storage, operation, *arguments):
        if operation.name == "slow":
            calls.append(1)
            if len(calls) < n_plans:  # each makes the plan wrong
                ingest(other, [3 + len(calls)], source_id=3 + len(calls))
            elif len(calls) == n_plans:  # only the entry of the first attempt is old
                os.utime(log / f"{3:020}.json", (1.0, 1.0))
                close_holes(other, 100.0)
        return put_commit(storage, operation, *arguments)

    def plan(state: State) -> Changes:
        plans.append(state.version)
        is_right = len(plans) >= n_plans
        return Changes(added={"structures": added}, still_valid=lambda *_: is_right)

    monkeypatch.setattr(transaction, "put_commit", slow)
    lk.commit("slow", plan)
    assert len(plans) == n_plans + 1
    assert ids(lk) == raw_ids(lk) == [1, 2, 3, *(3 + i for i in range(1, n_plans))]
    assert lk.check() == []
