"""Many writers at once: each commit happens once, on top of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake_samples import files, ids, ingest, raw_ids, structure, two_ingests
from writer_samples import before_commit, process

import lake
from lake.checks.checking import notes
from lake.lake import Lake
from lake.log import transaction
from lake.log.changes import Changes
from lake.log.delta_log import Entry, append_entry
from lake.log.state import State
from lake.reader import Reader


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return two_ingests(tmp_path / "lake")


@pytest.mark.slow
def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "lake"))
    writers = [process("append", lk.storage.uri, i, 15) for i in range(8)]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    assert lk.version == 8 * 15
    assert ids(lk) == sorted(1000 * writer + i for writer in range(8) for i in range(15))
    assert raw_ids(lk) == ids(lk)
    assert lk.log()["version"].to_list() == list(range(120, 0, -1))
    assert [len(ids(lk.at(v))) for v in (1, 17, 50, 51, 119)] == [1, 17, 50, 51, 119]
    assert lk.check() == []
    assert notes(lk.reader) == []


def add_missing(lk: Lake, wanted: range) -> int | None:
    def missing(state: State) -> list[int]:
        there = Reader(lk.storage, state).scan("structures").collect()["structure_id"]
        return sorted(set(wanted) - set(there))

    def plan(state: State) -> Changes | None:
        new = missing(state)
        if not new:
            return None
        added = {"structures": files(lk, "structures", [structure(i) for i in new])}
        return Changes(added=added, still_valid=lambda _, now: missing(now) == new)

    return lk.commit("ingest", plan)


def test_rows_two_writers_both_want_to_add_are_added_once(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Lake(lk.storage)
    before_commit(monkeypatch, lambda: add_missing(other, range(3, 8)))
    assert add_missing(lk, range(5, 11)) == 4
    assert ids(lk) == list(range(1, 11))
    assert ids(lk.at(3)) == list(range(1, 8))
    assert lk.check() == []


def test_nothing_is_committed_where_another_did_it_all(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Lake(lk.storage)
    before_commit(monkeypatch, lambda: add_missing(other, range(3, 8)))
    assert add_missing(lk, range(3, 8)) is None
    assert ids(lk) == list(range(1, 8))
    assert lk.version == 3
    assert lk.check() == []


@pytest.mark.parametrize("is_same", [True, False], ids=["same files", "other files"])
def test_an_attempt_planned_again_closes_the_one_before_where_it_repeats_it(
    lk: Lake, monkeypatch: pytest.MonkeyPatch, is_same: bool
) -> None:
    other = Lake(lk.storage)
    before_commit(monkeypatch, lambda: ingest(other, [9], "ni", source_id=9))
    plans: list[Changes] = []

    def plan(state: State) -> Changes:
        rows = [structure(5)]
        added = (
            plans[-1].added if plans and is_same else {"structures": files(lk, "structures", rows)}
        )
        again = bool(plans)
        plans.append(Changes(added=added, still_valid=lambda *_: again))
        return plans[-1]

    assert lk.commit("append", plan) == 4
    assert len(plans) == 2
    holes = lk.reader.state.table("structures").holes
    assert holes == (frozenset() if is_same else {3})
    assert ids(lk) == [1, 2, 5]
    assert [ids(lk.at(v)) for v in (2, 3)] == [[1, 2], [1, 2]]
    if is_same:
        assert raw_ids(lk) == [1, 2, 5, 9]
    assert lk.check() == []
    lk.vacuum(dry_run=False, keep_days=0)
    assert raw_ids(lk) == [1, 2, 5, 9]
    assert ids(lk) == [1, 2, 5]


def test_a_checkpoint_is_written_where_its_version_was_another_writers(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "CHECKPOINT_EVERY", 4)
    for i in range(2):  # versions 3 and 4 of the table
        note = {"operation_id": "dead", "attempt_id": str(i)}
        entry = Entry(note=note)
        append_entry(lk.storage, "structures", 2, lambda _, entry=entry: entry, "ingest")
    ingest(lk, [3], source_id=3)
    log = Path(lk.storage.url("structures")) / "_delta_log"
    assert [path.name for path in log.glob("*.parquet")] == [f"{5:020}.checkpoint.parquet"]
    assert ids(lk) == [1, 2, 3]
