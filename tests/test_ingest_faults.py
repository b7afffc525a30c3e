"""Ingest that is killed, or meets a full disk, or two of them at once."""

import gzip
import io
import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from small_disks import small_disk

import lake
from ingest import api
from ingest.api import ingest
from ingest.landing.landing import Landing
from ingest.tasks import reading
from lake.errors import InvalidInputError, StorageError

N_FRAMES = 1500


def text_of_frames(seed: int, n_frames: int = N_FRAMES) -> str:
    rng = np.random.default_rng(seed)
    frames = []
    for x, y, force in rng.uniform(1, 8, (n_frames, 3)):
        frames.append(
            '3\nLattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3:forces:R:3 '
            f"energy={x}\nCu 0.0 0.0 0.0 {force} 0.0 0.0\nNi {x} 0.0 0.0 {force} 0.0 0.0\n"
            f"Cu 0.0 {y} 0.0 {force} 0.0 0.0\n"
        )
    return "".join(frames)


def ingest_in_child(uri: str, path: str, dataset: str, workers: int) -> None:
    api.PROCESSES_FROM_BYTES = 0  # with more than one worker, have processes to leave behind
    ingest(lake.open(uri), "extxyz", [path], dataset=dataset, workers=workers)


def counts(lk, dataset: str) -> tuple[int, ...]:
    return tuple(
        lk.sql(f"SELECT count(*) FROM {table} WHERE dataset = '{dataset}'").fetchall()[0][0]
        for table in ("structures", "labels", "sources")
    )


@pytest.mark.slow
def test_kill_at_a_hundred_moments_loses_nothing_and_shows_no_half(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(text_of_frames(0))
    lk = lake.create(str(tmp_path / "lake"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ingest.api", "ingest.landing.landing", "deltalake"])
    ingest(lk, "extxyz", [str(path)], dataset="whole")
    started = time.monotonic()
    ingest(lk, "extxyz", [str(path)], dataset="timed")
    takes_s = time.monotonic() - started
    whole = counts(lk, "whole")
    assert whole == (N_FRAMES, N_FRAMES, 1)
    random.seed(0)
    killed = 0
    for i in range(100):
        dataset, workers = f"d{i}", 2 if i % 10 == 0 else 1
        before = lk.version
        child = context.Process(
            target=ingest_in_child, args=(lk.storage.uri, str(path), dataset, workers)
        )
        child.start()
        time.sleep(random.uniform(0, 1.2 * takes_s))
        child.kill()
        child.join()
        killed += child.exitcode != 0
        assert counts(lk, dataset) in ((0, 0, 0), whole)
        assert counts(lk.at(before), dataset) == (0, 0, 0)
        ingest(lk, "extxyz", [str(path)], dataset=dataset)
        assert counts(lk, dataset) == whole
    assert killed > 50
    assert lk.check() == []


def test_two_ingests_of_one_file_at_once_store_it_once(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(text_of_frames(1))
    lk = lake.create(str(tmp_path / "lake"))
    context = multiprocessing.get_context("forkserver")
    children = [
        context.Process(target=ingest_in_child, args=(lk.storage.uri, str(path), "cu", 1))
        for _ in range(4)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    structures, labels, _ = counts(lk, "cu")
    assert (structures, labels) == (N_FRAMES, N_FRAMES)
    assert lk.check() == []


def test_disk_full_is_a_clear_error_and_leaves_the_lake_as_it_was(tmp_path):
    with small_disk(tmp_path / "small", "1500k") as small:
        lk = lake.create(str(small / "lake"))
        (tmp_path / "a.xyz").write_text(text_of_frames(2, 100))
        (tmp_path / "b.xyz").write_text(text_of_frames(3, 40_000))
        ingest(lk, "extxyz", [str(tmp_path / "a.xyz")], dataset="cu")
        with pytest.raises(StorageError, match="No space left"):
            ingest(lk, "extxyz", [str(tmp_path / "b.xyz")], dataset="cu")
        assert lk.version == 1
        assert counts(lk, "cu") == (100, 100, 1)
        assert lk.check() == []
        (tmp_path / "c.xyz").write_text(text_of_frames(4, 100))
        ingest(lk, "extxyz", [str(tmp_path / "c.xyz")], dataset="cu")
        assert counts(lk, "cu") == (200, 200, 2)


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "a.xyz"
    path.write_text(text_of_frames(5, 100))
    lk = lake.create(str(tmp_path / "lake"))
    fetch = reading._fetch

    def changed_then_fetch(piece):
        path.write_text(text_of_frames(6, 100))
        return fetch(piece)

    monkeypatch.setattr(reading, "_fetch", changed_then_fetch)
    with pytest.raises(InvalidInputError, match="changed while it was read"):
        ingest(lk, "extxyz", [str(path)], dataset="cu")
    assert lk.version == 0


@pytest.mark.dask
def test_a_dask_cluster_reads_the_same_rows(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    path = tmp_path / "a.xyz"
    path.write_text(text_of_frames(7))
    environment = os.environ | {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}
    file = tmp_path / "scheduler.json"
    scheduler = subprocess.Popen(
        [
            *(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"),
            *("--port", "0", "--no-dashboard", "--scheduler-file", str(file)),
        ],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    workers = []
    try:
        for _ in range(2):
            command = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1"]
            command += ["--no-nanny", "--no-dashboard", "--scheduler-file", str(file)]
            workers.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        lk = lake.create(str(tmp_path / "lake"))
        report = ingest(lk, "extxyz", [str(path)], dataset="cu", scheduler=address)
        assert report.total("rows") == N_FRAMES
        here = lake.create(str(tmp_path / "here"))
        ingest(here, "extxyz", [str(path)], dataset="cu")
        query = "SELECT * EXCLUDE (source_id) FROM structures ORDER BY structure_id"
        assert lk.sql(query).pl().equals(here.sql(query).pl())
    finally:
        for process in (*workers, scheduler):
            process.kill()  # a worker whose scheduler is gone may not heed terminate
        for process in (*workers, scheduler):
            process.wait()


def test_no_scheduler_at_the_address_is_the_users_error(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    monkeypatch.setattr("ingest.tasks.dask_cluster.CONNECT_TIMEOUT_S", 1)
    path = tmp_path / "a.xyz"
    path.write_text(text_of_frames(8, 2))
    lk = lake.create(str(tmp_path / "lake"))
    with pytest.raises(InvalidInputError, match="no Dask scheduler answers"):
        ingest(lk, "extxyz", [str(path)], dataset="cu", scheduler="tcp://127.0.0.1:1")


def test_ingest_into_a_lake_that_is_not_there_names_what_to_do(tmp_path):
    program = Path(sys.executable).parent / "atomlake"
    ran = subprocess.run(
        [program, "ingest", "extxyz", "a.xyz", "--dataset", "cu", "--lake", tmp_path / "no"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "atomlake init" in ran.stderr
    assert "Traceback" not in ran.stderr


class FailingRaw(io.RawIOBase):
    """Bytes of a file, until the third read fails as a storage does."""

    def __init__(self, path: Path) -> None:
        self._stream = io.BytesIO(path.read_bytes())
        self._reads = 0

    def read(self, size: int = -1) -> bytes:
        self._reads += 1
        if self._reads == 3:
            raise StorageError("the connection was reset")
        return self._stream.read(min(size, 3000))


def test_a_storage_that_stops_answering_is_no_damaged_file(tmp_path, monkeypatch):
    path = tmp_path / "a.xyz.gz"
    path.write_bytes(gzip.compress(text_of_frames(9, 500).encode()))
    lk = lake.create(str(tmp_path / "lake"))
    with monkeypatch.context() as patched:
        patched.setattr(
            "ingest.tasks.tasks.open_raw", lambda item, _: nullcontext(FailingRaw(path))
        )
        with pytest.raises(StorageError, match="the connection was reset"):
            ingest(lk, "extxyz", [str(path)], dataset="cu")
    assert lk.version == 0
    assert ingest(lk, "extxyz", [str(path)], dataset="cu").total("rows") == 500


@pytest.mark.parametrize("label_set", ["dft", "other"])
def test_a_dataset_dropped_before_the_commit_takes_no_duplicate_with_it(
    tmp_path, monkeypatch, label_set
):
    path = tmp_path / "a.xyz"
    path.write_text(text_of_frames(10, 20))
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, "extxyz", [str(path)], dataset="cu")
    path.write_text(text_of_frames(10, 30))
    plan, dropped = Landing._plan, []

    def plan_then_drop(self, state):
        changes = plan(self, state)
        if not dropped:
            dropped.append(lk.drop(dataset="cu"))
        return changes

    monkeypatch.setattr(Landing, "_plan", plan_then_drop)
    ingest(lk, "extxyz", [str(path)], dataset="cu", label_set=label_set)
    assert counts(lk, "cu") == (30, 30, 1)
    assert lk.check() == []


def test_a_task_done_twice_writes_files_of_its_own(tmp_path, monkeypatch):
    path = tmp_path / "a.xyz"
    path.write_text(text_of_frames(11, 20))
    lk = lake.create(str(tmp_path / "lake"))
    run_task = reading.run_task

    def twice(target, task):
        run_task(target, task)
        return run_task(target, task)

    monkeypatch.setattr(api, "run_task", twice)
    ingest(lk, "extxyz", [str(path)], dataset="cu")
    assert counts(lk, "cu") == (20, 20, 1)
    assert lk.check() == []


def test_a_task_that_fails_leaves_no_file_of_the_others(tmp_path, monkeypatch):
    paths = []
    for i in range(4):
        paths.append(tmp_path / f"{i}.xyz")
        paths[-1].write_text(text_of_frames(20 + i, 20))
    lk = lake.create(str(tmp_path / "lake"))
    run_task = reading.run_task

    def fails_late(target, task):
        if task.number == 2:
            raise StorageError("the disk is gone")
        return run_task(target, task)

    monkeypatch.setattr(api, "run_task", fails_late)
    monkeypatch.setattr("ingest.tasks.tasks.MOST_PIECES", 1)
    with pytest.raises(StorageError, match="the disk is gone"):
        ingest(lk, "extxyz", [str(path) for path in paths], dataset="cu", workers=2)
    assert not list((tmp_path / "lake").glob("structures/**/*.parquet"))
    assert lk.version == 0
