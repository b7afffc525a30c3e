"""Checkpoints: read as delta-rs wrote them, written by whoever can, and never needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable
from lake_samples import ingest
from s3_server import BUCKET, CREDENTIALS, s3_server

import lake
from lake.lake import Lake
from lake.log import checkpoints, delta_log, log_snapshot, transaction
from lake.log.checkpoints import newest_checkpoint, read_checkpoint
from lake.log.delta_log import read_entries
from lake.log.log_snapshot import replay, snapshot
from lake.log.transaction import write_due_checkpoints
from lake.storage.local_storage import LocalStorage

EVERY = 4


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    return filled(lake.create(str(tmp_path / "lake")), monkeypatch)


def filled(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Ten ingests, and a file that goes between; a checkpoint at every fourth version."""
    for module in (transaction, log_snapshot, checkpoints):
        monkeypatch.setattr(module, "CHECKPOINT_EVERY", EVERY)
    for i in range(1, 11):
        ingest(lk, [i], "a-b_c.d" if i % 3 else "ni", source_id=i)
        if i == 5:
            lk.drop(dataset="ni")
    return lk


def by_entries(lk: Lake, version: int) -> dict[str, object]:
    entries = read_entries(lk.storage, "structures", range(1, version + 1))
    return dict(replay({}, entries))


@pytest.mark.parametrize("version", range(12))
def test_a_snapshot_is_what_the_entries_and_delta_rs_say(lk: Lake, version: int) -> None:
    found = snapshot(lk.storage, "structures", version)
    assert found == by_entries(lk, version), "with checksums and statistics"
    delta = DeltaTable(lk.storage.url("structures"), version=version).file_uris()
    assert sorted(lk.storage.url(f"structures/{path}") for path in found) == sorted(delta)


@pytest.mark.s3
def test_so_it_is_in_an_object_store(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server() as port:
        options = CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        lk = filled(lake.create(f"s3://{BUCKET}/summed", options), monkeypatch)
        assert newest_checkpoint(lk.storage, "structures", 7) == 4
        assert newest_checkpoint(lk.storage, "structures", 11) == 8
        for version in (3, 7, 8, 11):
            assert snapshot(lk.storage, "structures", version) == by_entries(lk, version)


def test_only_entries_after_the_checkpoint_are_read(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    read_entry = delta_log.read_entry

    def counted(storage, name, version):
        read.append(version)
        return read_entry(storage, name, version)

    monkeypatch.setattr(delta_log, "read_entry", counted)
    snapshot(lk.storage, "structures", 11)
    assert read == [9, 10, 11]
    read.clear()
    snapshot(lk.storage, "structures", 7)
    assert read == [5, 6, 7], "of the past, an earlier checkpoint"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "8"}', '{"version": 90}'])
def test_a_checkpoint_is_found_without_what_names_the_last(lk: Lake, text: str) -> None:
    last = Path(lk.storage.url("structures")) / "_delta_log" / "_last_checkpoint"
    last.write_text(text)
    assert newest_checkpoint(lk.storage, "structures", 11) == 8
    last.unlink()
    assert newest_checkpoint(lk.storage, "structures", 11) == 8
    assert newest_checkpoint(lk.storage, "structures", 3) == 0


@pytest.mark.parametrize("n_bytes", [0, 1, 300, -1])
def test_a_torn_checkpoint_hides_nothing(lk: Lake, n_bytes: int) -> None:
    file = Path(lk.storage.url("structures")) / "_delta_log" / f"{8:020}.checkpoint.parquet"
    file.write_bytes(file.read_bytes()[:n_bytes])
    assert snapshot(lk.storage, "structures", 11) == by_entries(lk, 11)


def test_without_delta_rs_all_is_read_and_committed_and_the_checkpoint_is_left_to_others(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "deltalake", None)  # what imports it now fails
    for i in range(11, 17):
        ingest(lk, [i], "ni", source_id=i)
    assert newest_checkpoint(lk.storage, "structures", 17) == 8
    assert lake.open(lk.storage.uri).scan("structures").collect().height == 15
    write_due_checkpoints(lk.storage)
    assert newest_checkpoint(lk.storage, "structures", 17) == 8, "nor can it be made up here"
    monkeypatch.undo()
    monkeypatch.setattr(transaction, "CHECKPOINT_EVERY", EVERY)
    write_due_checkpoints(lk.storage)
    for name in ("structures", "commits"):
        assert newest_checkpoint(lk.storage, name, 17) == 17
        assert read_checkpoint(lk.storage, name, 17) == snapshot(lk.storage, name, 17)
    assert lk.check() == []


def test_a_checkpoint_that_cannot_be_made_up_is_nobodys_error(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (Path(lk.storage.url("structures")) / "_delta_log").glob("*checkpoint*"):
        path.unlink()

    def full(self: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(DeltaTable, "create_checkpoint", full)
    write_due_checkpoints(lk.storage)
    assert newest_checkpoint(lk.storage, "structures", 11) == 0
    write_due_checkpoints(LocalStorage(lk.storage.url("nowhere")))


def test_what_is_not_due_is_not_written(lk: Lake) -> None:
    log = Path(lk.storage.url("structures")) / "_delta_log"
    before = sorted(log.glob("*.checkpoint.parquet"))
    write_due_checkpoints(lk.storage)
    assert sorted(log.glob("*.checkpoint.parquet")) == before
