"""The commit protocol when processes die, disks fill up and answers get lost."""

from __future__ import annotations

import errno
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from deltalake.exceptions import TableNotFoundError
from dying_writer import NEW_ROWS, ingest_once
from lake_samples import files, ids, ingest, latents, raw_ids, structure, two_ingests
from small_disks import make_read_only, small_disk
from writer_samples import before_commit, process

import lake
from lake.checks.checking import notes
from lake.errors import StorageError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store
from lake.log import transaction
from lake.upkeep.merging import Merger


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return two_ingests(tmp_path / "lake")


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
    made = two_ingests(tmp_path / "made").storage.uri

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


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "2m") as folder:
        yield folder


def test_a_disk_that_is_really_full(disk: Path) -> None:
    lk = two_ingests(disk / "lake")
    filler = disk / "filler"
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


def test_a_lake_one_may_only_read(disk: Path) -> None:
    lk = two_ingests(disk / "lake")
    make_read_only(disk)
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
