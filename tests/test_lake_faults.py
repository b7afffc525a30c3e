"""The commit protocol when processes die, disks fill up and answers get lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from dying_writer import NEW_ROWS, ingest_once
from lake_samples import append, files, ingest, latents, structure

import lake
from lake.checks.checking import notes
from lake.errors import CorruptLakeError, StorageError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store
from lake.log import transaction
from lake.log.changes import Changes
from lake.log.delta_log import Entry, append_entry
from lake.log.state import State
from lake.reader import Reader
from lake.upkeep.merging import Merger

TESTS = Path(__file__).parent


def process(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dying_writer", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=TESTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def make(folder: Path) -> Lake:
    lk = lake.create(str(folder))
    ingest(lk, [1], source_id=1)
    ingest(lk, [2], source_id=2)
    return lk


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return make(tmp_path / "lake")


def ids(lk: Lake, dataset: str = "cu") -> list[int]:
    return sorted(lk.scan("structures", dataset=dataset).collect()["structure_id"])


def raw_ids(lk: Lake) -> list[int]:
    """What another Delta reader sees."""
    urls = DeltaTable(lk.storage.url("structures")).file_uris()
    frame = pl.concat([pl.read_parquet(url, columns=["structure_id"]) for url in urls])
    return sorted(frame["structure_id"])


def assert_recovers(uri: str) -> None:
    """The lake is as before, or holds the whole operation; the same again completes it."""
    lk = lake.open(uri)
    committed = lk.version == 3
    assert lk.version in (2, 3)
    assert ids(lk) == ([1, 2, *NEW_ROWS] if committed else [1, 2])
    assert lk.check() == []
    ingest(lk, [9], "ni", source_id=9)
    assert ids(lk) == ([1, 2, *NEW_ROWS] if committed else [1, 2]), "another revealed its rows"
    assert (ingest_once(lk) is None) == committed
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert ids(lk, "ni") == [9]
    assert [ids(lk.at(v)) for v in (0, 1, 2)] == [[], [1], [1, 2]]
    assert lk.version == 4
    assert lk.check() == []
    lk.vacuum(dry_run=False, keep_days=0)
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert raw_ids(lk) == [1, 2, *NEW_ROWS, 9]
    assert lk.check() == []
    assert notes(lk.reader) == []


@pytest.mark.slow
@pytest.mark.parametrize("level", ["storage", "system"])
def test_killed_at_every_write_of_a_commit(tmp_path: Path, level: str) -> None:
    made = make(tmp_path / "made").storage.uri

    def run(when: str, last: int) -> tuple[int, str]:
        uri = str(tmp_path / f"{when}-{last}")
        shutil.copytree(made, uri)
        dead = process("die", uri, level, when, last)
        output, errors = dead.communicate()
        assert dead.returncode in (0, -signal.SIGKILL), errors
        return dead.returncode, output

    code, counted = run("before", -1)
    assert code == 0
    n_writes = int(counted)
    assert n_writes >= 8
    # After one write is before the next, as far as what lies in storage goes.
    moments = [*(("before", last) for last in range(n_writes)), ("after", n_writes - 1)]
    with ThreadPoolExecutor(2) as pool:
        codes = [code for code, _ in pool.map(lambda moment: run(*moment), moments)]
    assert set(codes) == {-signal.SIGKILL}
    for when, last in moments:
        assert_recovers(str(tmp_path / f"{when}-{last}"))


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


def before_commit(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let others act once, after the next operation wrote its entries and before it commits."""
    put_commit, calls = transaction.put_commit, []

    def slow(*arguments):
        if not calls:
            calls.append(1)
            act()
        return put_commit(*arguments)

    monkeypatch.setattr(transaction, "put_commit", slow)


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
        append_entry(lk.storage, "structures", 2, Entry(note=note), "ingest")
    ingest(lk, [3], source_id=3)
    log = Path(lk.storage.url("structures")) / "_delta_log"
    assert [path.name for path in log.glob("*.parquet")] == [f"{5:020}.checkpoint.parquet"]
    assert ids(lk) == [1, 2, 3]


def test_a_full_disk_at_every_write(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = lk.storage.uri

    def fill_at(last: int) -> bool:
        """Whether the operation went through with its `last` write refused."""
        writer, count = lake.open(uri), 0

        def refusing(write):
            def refused(*arguments):
                nonlocal count
                count += 1
                if count - 1 == last:
                    raise StorageError("No space left on device")
                return write(*arguments)

            return refused

        for name in ("put_new", "create"):
            monkeypatch.setattr(writer.storage, name, refusing(getattr(writer.storage, name)))
        try:
            ingest_once(writer)
        except StorageError:
            return False
        return True

    last = 0
    while not fill_at(last):
        assert lk.version == 2
        assert ids(lk) == [1, 2]
        assert lk.check() == []
        last += 1
    assert last >= 8  # three files, three entries, the row and the entry of commits
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert lk.version == 3
    assert lk.check() == []


def test_a_checkpoint_that_cannot_be_written_does_not_fail_a_commit(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transaction, "CHECKPOINT_EVERY", 1)
    monkeypatch.setattr("deltalake.DeltaTable.create_checkpoint", full)
    assert ingest_once(lk) == 3
    assert lk.check() == []


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


def test_a_file_that_cannot_be_cleaned_up_does_not_hide_what_was_done(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path):
        raise StorageError("no")

    monkeypatch.setattr(lk.storage, "delete", refused)
    other = Lake(lake.open(lk.storage.uri).storage)
    before_commit(monkeypatch, lambda: ingest(other, [9], "ni", source_id=9))
    assert ingest_once(lk) == 4
    (spare,) = files(lk, "structures", [structure(5)])
    monkeypatch.setattr(Merger, "files", [("structures", spare)])
    assert set(lk.optimize()["table"]) == {"structures", "labels", "sources"}
    assert lk.check() == []

    def write_half() -> None:
        with open_latent_store(lk.storage, "job") as writer:
            writer.append(1, latents(65_536))  # a whole shard, which is written at once
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()


def test_a_place_one_may_not_write_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise TableNotFoundError("no permission")

    monkeypatch.setattr("deltalake.DeltaTable.create", refused)
    with pytest.raises(StorageError, match=r"no permission.*may write"):
        lake.create(str(tmp_path / "lake"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"file.*exists"):
        lake.create(str(tmp_path / "file" / "lake"))


def test_only_a_writer_says_that_nothing_was_committed(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageError, match="Is a directory") as caught:
        lk.storage.read("structures")
    assert "committed" not in str(caught.value)

    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.link", refused)
    with pytest.raises(StorageError, match=r"No space left.*Nothing was committed"):
        ingest_once(lk)


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    lk = make(small_disk / "lake")
    filler = small_disk / "filler"
    for spared in (0, 4096, 8192, 16_384, 32_768):
        with filler.open("wb", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(b"x" * 4096)
        with filler.open("rb+") as stream:
            stream.truncate(max(0, filler.stat().st_size - spared))
        with pytest.raises(StorageError, match="No space left"):
            ingest_once(lk)
        assert ids(lk) == [1, 2]
        assert lk.check() == []
    filler.unlink()
    assert ingest_once(lk) == 3
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert lk.check() == []


def test_a_lake_one_may_only_read(small_disk: Path) -> None:
    lk = make(small_disk / "lake")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    lk = lake.open(lk.storage.uri)
    assert ids(lk) == [1, 2]
    assert ids(lk.at(1)) == [1]
    assert lk.sql("SELECT count(*) FROM labels").fetchall() == [(2,)]
    assert lk.check() == []
    assert lk.vacuum().is_empty()
    for write in (ingest_once, lambda lk: lk.tag("x"), lambda lk: lk.optimize()):
        with pytest.raises(StorageError, match="Read-only file system"):
            write(lk)
    assert lk.version == 2
