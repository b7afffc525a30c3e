"""What the log keeps when power or an answer is lost, and what it says when it is damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from deltalake import DeltaTable
from dying_writer import NEW_ROWS, ingest_once
from lake_samples import append, ids, ingest, two_ingests

import lake
from lake.checks.checking import notes
from lake.errors import CorruptLakeError, StorageError
from lake.lake import Lake
from lake.log import transaction


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return two_ingests(tmp_path / "lake")


@pytest.mark.parametrize("torn", ["00000000000000000003.checkpoint.parquet", "_last_checkpoint"])
def test_a_checkpoint_torn_by_a_power_cut_hides_nothing(
    lk: Lake, monkeypatch: pytest.MonkeyPatch, torn: str
) -> None:
    monkeypatch.setattr(transaction, "CHECKPOINT_EVERY", 1)
    assert ingest_once(lk) == 3
    log = Path(lk.storage.url("structures")) / "_delta_log"
    for checkpoint in log.glob("*.checkpoint.parquet"):
        if torn == "_last_checkpoint":  # it names a checkpoint that is not there
            checkpoint.unlink()
    if torn != "_last_checkpoint":
        (log / torn).write_bytes(b"")
    lk = lake.open(lk.storage.uri)
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert lk.scan("structures", dataset="cu").collect().height == 4
    (problem,) = lk.check()
    assert problem.table == "structures"
    assert "checkpoint" in problem.what
    ingest(lk, [9], "ni", source_id=9)
    assert ids(lk, "ni") == [9]
    for name in (*log.glob("*.checkpoint.parquet"), log / "_last_checkpoint"):
        name.unlink()
    assert lk.check() == [], "deleting it mends it, as the message says"


def test_a_log_without_one_of_its_entries_is_corrupt(lk: Lake) -> None:
    (Path(lk.storage.url("structures")) / "_delta_log" / f"{1:020}.json").write_text("{")
    with pytest.raises(CorruptLakeError, match=r"0001\.json"):
        ids(lake.open(lk.storage.uri))


@pytest.mark.parametrize("is_raised", [True, False], ids=["raises", "says no"])
@pytest.mark.parametrize("which", range(4))
def test_a_put_that_was_done_although_the_answer_was_lost(
    lk: Lake, monkeypatch: pytest.MonkeyPatch, which: int, is_raised: bool
) -> None:
    put_new, calls = lk.storage.put_new, []

    def lossy(path, data):
        done = put_new(path, data)
        calls.append(path)
        if len(calls) - 1 != which:
            return done
        if is_raised:
            raise StorageError("connection reset")
        return False

    monkeypatch.setattr(lk.storage, "put_new", lossy)
    assert ingest_once(lk) == 3
    assert len(calls) == 4
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert lk.log().height == 3
    assert lk.check() == []
    assert notes(lk.reader) == []


def test_an_entry_recognised_as_ones_own_is_made_durable(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_new, synced = lk.storage.put_new, []

    def says_no(path, data):
        put_new(path, data)
        return False

    monkeypatch.setattr(lk.storage, "put_new", says_no)
    monkeypatch.setattr(lk.storage, "sync", synced.append)
    ingest_once(lk)
    assert len(synced) == 4


def test_every_folder_of_a_new_lake_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, synced = os.fsync, set()

    def watched(descriptor):
        synced.add(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    lk = lake.create(str(tmp_path / "new" / "lake"))
    folders = {str(path) for path in tmp_path.rglob("*") if path.is_dir()}
    assert len(folders) > 20
    assert folders | {str(tmp_path)} <= synced
    monkeypatch.undo()
    ingest(lk, [1])
    assert lk.check() == []


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_an_entry_whose_note_cannot_be_read_is_corrupt(lk: Lake, text: str) -> None:
    path = Path(lk.storage.url("commits")) / "_delta_log" / f"{2:020}.json"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["commitInfo"]["userMetadata"] = text
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(CorruptLakeError, match="commits"):
        lake.open(lk.storage.uri)


def test_a_put_that_was_refused_is_an_error(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path, data):
        raise StorageError("no")

    monkeypatch.setattr(lk.storage, "put_new", refused)
    with pytest.raises(StorageError, match="no"):
        ingest_once(lk)
    assert lk.version == 2


def test_an_infinite_number_does_not_break_the_log(lk: Lake) -> None:
    point = {"project": "p", "run_id": "r", "step": 0, "key": "loss", "value": float("inf")}
    append(lk, runs=[{"project": "p", "run_id": "r", "name": "r"}], training_history=[point])
    DeltaTable(lk.storage.url("training_history")).get_add_actions(flatten=True)
    assert lk.scan("training_history").collect()["value"].to_list() == [float("inf")]
    assert lk.check() == []
