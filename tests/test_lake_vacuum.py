"""Vacuum takes what nobody needs, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from lake_samples import append, files, ingest, latents, model, structure

import lake
from lake.checks.checking import notes
from lake.errors import ConflictError, InvalidInputError, NotFoundError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store
from lake.log import transaction
from lake.log.changes import Changes
from lake.log.delta_log import Entry, append_entry
from lake.log.holes import close_holes
from lake.log.state import State, newest_state
from lake.upkeep.vacuum import vacuum


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, [1], source_id=1)
    ingest(lk, [2], source_id=2)
    return lk


def age(lk: Lake, days: float = 30.0) -> None:
    """Let everything in the lake be as old as that."""
    for file in lk.storage.root.rglob("*"):
        if file.is_file():
            then = file.stat().st_mtime - days * 86_400
            os.utime(file, (then, then))


def crash(lk: Lake, rows: list[dict[str, Any]], removed: tuple[Any, ...] = ()) -> int:
    """What an operation leaves that died between its entries and its commit."""
    added = tuple(files(lk, "structures", rows))
    entry = Entry(added, removed, {"operation_id": "dead", "attempt_id": "dead"})
    after = newest_state(lk.storage).table("structures").version
    return append_entry(lk.storage, "structures", after, entry, "ingest")


def raw_ids(lk: Lake) -> list[int]:
    """What another Delta reader sees."""
    urls = DeltaTable(lk.storage.url("structures")).file_uris()
    frame = pl.concat([pl.read_parquet(url, columns=["structure_id"]) for url in urls])
    return sorted(frame["structure_id"])


def ids(lk: Lake) -> list[int]:
    return sorted(lk.scan("structures").collect()["structure_id"])


def test_a_clean_lake_loses_nothing(lk: Lake) -> None:
    lk.optimize()
    lk.drop(dataset="cu")
    age(lk)
    before = {file.path for file in lk.storage.list_files("")}
    assert lk.vacuum(dry_run=False, keep_days=7).is_empty()
    assert {file.path for file in lk.storage.list_files("")} == before
    assert ids(lk.at(2)) == [1, 2]


def test_orphans_and_unfinished_writes_go_once_they_are_old(lk: Lake) -> None:
    stray = lk.storage.root / "structures" / "dataset=cu" / "stray.parquet"
    unfinished = lk.storage.root / "structures" / "_delta_log" / ".x.json.7.tmp"
    staged = lk.storage.root / "structures" / "_delta_log" / "x.checkpoint.parquet#1"
    for file in (stray, unfinished, staged):
        file.write_text("x")
    assert lk.vacuum(dry_run=False).is_empty(), "an operation may be about to name them"
    age(lk)
    found = lk.vacuum()
    assert dict(found.select("file", "reason").rows()) == {
        "structures/dataset=cu/stray.parquet": "no version needs it",
        "structures/_delta_log/.x.json.7.tmp": "a write that did not finish",
        "structures/_delta_log/x.checkpoint.parquet#1": "a write that did not finish",
    }
    assert found["deleted"].to_list() == [False] * 3
    assert stray.exists()
    assert lk.vacuum(dry_run=False)["deleted"].to_list() == [True] * 3
    assert not any(file.exists() for file in (stray, unfinished, staged))
    assert lk.version == 2
    assert lk.check() == []


def test_old_holes_are_closed_so_that_other_readers_see_what_we_see(lk: Lake) -> None:
    crash(lk, [structure(66)])
    age(lk)
    ingest(lk, [3], source_id=3)
    crash(lk, [structure(77)])
    assert ids(lk) == [1, 2, 3]
    assert raw_ids(lk) == [1, 2, 3, 66, 77]
    version = lk.version
    found = lk.vacuum(dry_run=False)
    assert len(found) == 1, "the file of the old hole; the other is young"
    assert raw_ids(lk) == [1, 2, 3, 77]
    assert ids(lk) == [1, 2, 3]
    age(lk)
    assert len(lk.vacuum(dry_run=False)) == 1
    assert raw_ids(lk) == ids(lk) == [1, 2, 3]
    assert lk.version == version + 2
    assert ids(lk.at(version)) == [1, 2, 3]
    assert ids(lk.at(2)) == [1, 2]
    assert lk.diff(version, lk.version).is_empty()
    assert notes(lk.reader) == []
    assert lk.check() == []
    age(lk)
    assert lk.vacuum(dry_run=False).is_empty()
    assert lk.version == version + 2, "there was nothing left to close"
    ingest(lk, [4], source_id=4)
    assert raw_ids(lk) == ids(lk) == [1, 2, 3, 4]
    assert lk.check() == []


def test_what_a_hole_removed_comes_back_for_other_readers(lk: Lake) -> None:
    both = tuple(lk.reader.files("structures"))
    crash(lk, [structure(1), structure(2), structure(66)], removed=both)
    assert raw_ids(lk) == [1, 2, 66]
    age(lk)
    lk.vacuum(dry_run=False)
    assert raw_ids(lk) == ids(lk) == [1, 2]
    assert lk.check() == [], "checksums and counts of the files came back too"
    lk.optimize()
    assert raw_ids(lk) == ids(lk) == [1, 2]


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


def test_latents_no_row_points_at_go(lk: Lake) -> None:
    with open_latent_store(lk.storage, "used") as writer:
        used = writer.append(1, latents(2))
    with open_latent_store(lk.storage, "crashed") as writer:
        writer.append(1, latents(2))
    row = {"dataset": "cu", "model": "m", "model_id": 7, **used.as_row()}
    append(lk, embeddings=[row], models=[model("m")])
    lk.drop(dataset="cu", model="m")  # an older version still points there
    assert lk.vacuum(dry_run=False).is_empty(), "a job may still be writing"
    age(lk)
    found = lk.vacuum(dry_run=False)
    assert found["file"].str.starts_with("latents/crashed").all()
    assert set(found["reason"]) == {"no row points at its latents"}
    assert next(lk.at(3).latents(dataset="cu", model="m")).num_rows == 2
    assert lk.at(3).check() == []


def test_forgotten_versions_lose_their_files_and_tagged_ones_do_not(lk: Lake) -> None:
    lk.tag("paper", 1)
    lk.optimize()
    ingest(lk, [3], source_id=3)
    newest = lk.version
    assert ids(lk) == [1, 2, 3]
    assert vacuum(lk, keep_versions="tagged").is_empty(), "all were newest within seven days"
    found = lk.vacuum(dry_run=False, keep_days=0, keep_versions="tagged")
    assert found.height > 0
    assert ids(lk) == [1, 2, 3]
    assert ids(lk.at("paper")) == [1]
    assert lk.check() == lk.at("paper").check() == []
    assert lk.at(2).check(deep=False) != []
    with pytest.raises(NotFoundError, match=r"version 2.*vacuum"):
        lk.tag("late", 2)
    assert lk.version == newest
    assert lk.log().height == newest
    assert lk.vacuum(dry_run=False, keep_days=0).is_empty()


@pytest.mark.parametrize("options", [{"keep_days": -1}, {"keep_versions": "none"}])
def test_options_that_mean_nothing_are_refused(lk: Lake, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        vacuum(lk, **options)
