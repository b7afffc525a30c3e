"""A lake in an object store: the same promises, against a real S3 server on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable
from dying_writer import NEW_ROWS, ingest_once
from lake_samples import append, ingest, latents
from s3_server import BUCKET, CREDENTIALS, lossy_proxy, s3_server

import lake
from lake.checks.checking import notes
from lake.errors import NotFoundError, StorageError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store
from lake.storage.object_storage import ObjectStorage
from lake.storage.range_file import RangeFile
from lake.storage.storage import open_storage

pytestmark = pytest.mark.s3
TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with s3_server() as port:
        yield port


def options(port: int) -> dict[str, str]:
    return CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


@pytest.fixture
def uri() -> str:
    return f"s3://{BUCKET}/{uuid.uuid4().hex}/lake"


@pytest.fixture
def lk(port: int, uri: str) -> Lake:
    lk = lake.create(uri, options(port))
    ingest(lk, [1], source_id=1)
    ingest(lk, [2], source_id=2)
    return lk


def ids(lk: Lake) -> list[int]:
    return sorted(lk.scan("structures").collect()["structure_id"])


def test_put_new_is_refused_where_an_object_is(port: int, uri: str) -> None:
    storage = open_storage(uri, options(port))
    assert storage.put_new("a/b", b"first")
    assert not storage.put_new("a/b", b"second")
    assert storage.read("a/b") == b"first"
    assert [(file.path, file.size) for file in storage.list_files("a")] == [("a/b", 5)]
    with storage.open_input("a/b") as stream:
        stream.seek(-2, os.SEEK_END)
        assert (stream.read(), stream.tell()) == (b"st", 5)
    storage.delete("a/b")
    storage.delete("a/b")
    assert not storage.exists("a/b")
    with pytest.raises(NotFoundError):
        storage.read("a/b")


def test_a_lake_is_read_through_duckdb_and_polars_at_any_version(lk: Lake, port: int) -> None:
    opened = lake.open(lk.storage.uri, options(port))
    assert opened.version == 2
    assert ids(opened) == [1, 2]
    assert opened.sql("SELECT sum(energy) FROM labels").fetchall() == [(3.0,)]
    assert opened.sql("SELECT count(*) FROM atoms").fetchall() == [(4,)]
    assert opened.at(1).sql("SELECT list(structure_id) FROM structures").fetchall() == [([1],)]
    assert opened.at(0).scan("structures").collect().is_empty()
    assert opened.log()["version"].to_list() == [2, 1]
    assert opened.info().datasets["cu"].label_sets["dft"].forces == 2
    assert opened.check() == []


def test_other_delta_readers_see_the_same(lk: Lake, port: int) -> None:
    table = DeltaTable(lk.storage.url("structures"), storage_options=options(port))
    frames = [pl.read_parquet(u, storage_options=options(port)) for u in table.file_uris()]
    assert sorted(pl.concat(frames)["structure_id"]) == [1, 2]


def test_there_is_no_lake_where_none_was_made(port: int, uri: str) -> None:
    with pytest.raises(NotFoundError, match="no lake"):
        lake.open(uri, options(port))


def test_latents_go_out_and_come_back(lk: Lake) -> None:
    arrays = {i: latents(50, seed=i) for i in (1, 2)}
    with open_latent_store(lk.storage, "job") as writer:
        pointers = [writer.append(i, array) for i, array in arrays.items()]
    more = {"dataset": "cu", "model": "m", "model_id": 7}
    append(lk, embeddings=[more | pointer.as_row() for pointer in pointers])
    batches = list(lk.latents(dataset="cu", model="m", batch_rows=30))
    flat = np.concatenate([batch["latent"].flatten().to_numpy() for batch in batches])
    np.testing.assert_array_equal(flat.reshape(-1, 4), np.concatenate(list(arrays.values())))
    assert lk.vacuum(keep_days=0).is_empty()


def test_optimize_drop_tag_and_vacuum(lk: Lake) -> None:
    lk.tag("two", 2)
    lk.optimize()
    assert len(lk.reader.files("structures")) == 1
    assert ids(lk) == [1, 2]
    lk.drop(dataset="cu")
    assert ids(lk) == []
    assert ids(lk.at("two")) == [1, 2]
    assert lk.check() == lk.at("two").check() == []
    lk.storage.put("structures/stray.parquet", b"x")
    assert lk.vacuum(dry_run=False, keep_days=0)["file"].to_list() == ["structures/stray.parquet"]
    assert notes(lk.reader) == []


@pytest.mark.slow
def test_writers_in_two_processes_lose_nothing(port: int, uri: str) -> None:
    lk = lake.create(uri, options(port))
    command = [sys.executable, "-m", "dying_writer", "append", uri]
    writers = [
        subprocess.Popen(
            [*command, str(i), "15"],
            cwd=TESTS,
            env=os.environ | options(port),  # credentials from the environment
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(2)
    ]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    assert lk.version == 30
    assert ids(lk) == sorted(1000 * writer + i for writer in range(2) for i in range(15))
    assert lk.log()["version"].to_list() == list(range(30, 0, -1))
    assert lk.check() == []
    assert notes(lk.reader) == []


@pytest.mark.parametrize("which", range(4))
def test_a_commit_whose_answer_is_lost_happens_once(lk: Lake, port: int, which: int) -> None:
    with lossy_proxy(port, "/_delta_log/") as proxy:
        writer = lake.open(lk.storage.uri, options(proxy.server_port))
        proxy.lost = {which}
        assert ingest_once(writer) == 3
        assert proxy.count >= 4
    assert lk.version == 3
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert lk.log().height == 3
    assert lk.check() == []
    assert notes(lk.reader) == []


def test_a_data_file_whose_answer_is_lost_is_there(lk: Lake, port: int) -> None:
    with lossy_proxy(port, ".parquet") as proxy:
        writer = lake.open(lk.storage.uri, options(proxy.server_port))
        proxy.lost = {0, 1, 3}
        assert ingest_once(writer) == 3
    assert ids(lk) == [1, 2, *NEW_ROWS]
    assert lk.check() == []


def test_a_bucket_that_is_not_there_is_named(port: int) -> None:
    storage = open_storage("s3://no-such-bucket/lake", options(port))
    for write in (storage.put, storage.put_new):
        with pytest.raises(StorageError, match="no-such-bucket"):
            write("a", b"x")
    with pytest.raises(StorageError, match="no-such-bucket"):
        list(storage.list_files("a"))


def test_a_file_that_is_gone_is_an_error_that_names_it(port: int, uri: str) -> None:
    storage = open_storage(uri, options(port))
    assert isinstance(storage, ObjectStorage)
    with pytest.raises(NotFoundError, match="a/b does not exist"):
        RangeFile(storage, "a/b")
    storage.put("a/b", b"text" * 100_000)
    with storage.open_input("a/b") as stream:
        storage.delete("a/b")
        with pytest.raises(StorageError, match=r"a/b: .* then run the same command again"):
            stream.read()
