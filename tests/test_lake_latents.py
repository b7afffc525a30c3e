"""Latents: into Zarr stores and out as Arrow batches."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import xxhash
import zarr
from lake_samples import append, latents

import lake
from lake.errors import ConflictError, CorruptLakeError, InvalidInputError, NotFoundError
from lake.lake import Lake
from lake.latents import latent_layer
from lake.latents.latent_reader import LatentStoreWriter, Pointer, open_latent_store


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setattr(latent_layer, "CHUNK_ROWS", 8)
    monkeypatch.setattr(latent_layer, "SHARD_ROWS", 32)
    return lake.create(str(tmp_path / "lake"))


def point(lk: Lake, pointers: list[Pointer], **more: Any) -> None:
    row = {"dataset": "cu", "model": "m1", "model_id": 7, "definition": "{}", "job_id": "job"}
    append(lk, embeddings=[row | pointer.as_row() | more for pointer in pointers])


def write(lk: Lake, arrays: dict[int, np.ndarray], **options: Any) -> list[Pointer]:
    with open_latent_store(lk.storage, "job", **options) as writer:
        return [writer.append(i, array) for i, array in arrays.items()]


def read(lk: Lake, **options: Any) -> dict[int, np.ndarray]:
    found: dict[int, list[Any]] = {}
    for batch in lk.latents(dataset="cu", model="m1", **options):
        assert batch.num_rows <= options.get("batch_rows", 65_536)
        for row in batch.to_pylist():
            assert row["atom"] == len(found.setdefault(row["structure_id"], []))
            found[row["structure_id"]].append(row["latent"])
    return {i: np.array(rows, np.float32) for i, rows in found.items()}


SIZES = {1: 1, 2: 5, 3: 100, 4: 31, 5: 64}  # one atom; longer than a shard; ends on a shard


@pytest.mark.parametrize("batch_rows", [1, 7, 32, 65_536])
def test_what_is_written_is_read(lk: Lake, batch_rows: int) -> None:
    arrays = {i: latents(n, seed=i) for i, n in SIZES.items()}
    point(lk, write(lk, arrays))
    found = read(lk, batch_rows=batch_rows)
    assert found.keys() == arrays.keys()
    for i, array in arrays.items():
        np.testing.assert_array_equal(found[i], array)


def test_pointers_hold_what_embeddings_needs(lk: Lake) -> None:
    arrays = {i: latents(n, seed=i) for i, n in SIZES.items()}
    pointers = write(lk, arrays)
    assert [p.offset for p in pointers] == [0, 1, 6, 106, 137]
    assert {p.n_features for p in pointers} == {4}
    np.testing.assert_allclose(pointers[2].mean, arrays[3].mean(axis=0), rtol=1e-5)
    array = zarr.open_array(lk.storage.url(pointers[0].store), mode="r")
    assert (array.shape, array.chunks, array.shards) == ((201, 4), (8, 4), (32, 4))


def test_several_layers_of_one_job_are_several_arrays(lk: Lake) -> None:
    with open_latent_store(lk.storage, "job") as writer:
        first = writer.append(1, latents(3, 2), layer="0")
        last = writer.append(1, latents(3, 5), layer="last")
    point(lk, [first, last])
    assert first.store.rpartition("/")[0] == last.store.rpartition("/")[0]
    assert read(lk, layer="0")[1].shape == (3, 2)
    assert read(lk)[1].shape == (3, 5)


def test_float16_is_half_as_large_and_comes_out_as_float32(lk: Lake) -> None:
    array = latents(10)
    pointers = write(lk, {1: array}, dtype="float16")
    assert zarr.open_array(lk.storage.url(pointers[0].store), mode="r").dtype == np.float16
    point(lk, pointers)
    np.testing.assert_array_equal(read(lk)[1], array.astype(np.float16).astype(np.float32))


def test_duckdb_reads_the_batches(lk: Lake) -> None:
    array = latents(50)
    point(lk, write(lk, {1: array}, dtype="float16"))
    batches = lk.latents(dataset="cu", model="m1", batch_rows=8)
    first = next(batches)
    stream = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
    with duckdb.connect() as connection:
        connection.register("stream", stream)
        found = connection.execute("SELECT count(*), sum(latent[1]) FROM stream").fetchone()
    assert found is not None
    assert found[0] == 50
    assert found[1] == pytest.approx(array[:, 0].astype(np.float16).astype(float).sum())


def test_several_jobs_and_gaps_are_read_in_runs(lk: Lake) -> None:
    arrays = {i: latents(5, seed=i) for i in range(6)}
    point(lk, [p for p in write(lk, arrays) if p.structure_id not in (1, 4)])
    point(lk, write(lk, {9: latents(2, seed=9)}))
    assert sorted(read(lk)) == [0, 2, 3, 5, 9]
    np.testing.assert_array_equal(read(lk)[5], arrays[5])


def test_the_manifest_is_true_and_written_last(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    put = lk.storage.put
    monkeypatch.setattr(
        lk.storage, "put", lambda path, data: (written.append(path), put(path, data))
    )
    folder = write(lk, {1: latents(70)})[0].store.rpartition("/")[0]
    assert written[-1] == f"{folder}/manifest.json"
    files = json.loads(lk.storage.read(f"{folder}/manifest.json"))["files"]
    assert len(files) == 5  # three shards, the array and the group
    on_disk = {file.path for file in lk.storage.list_files(folder)}
    assert on_disk == {f"{folder}/{key}" for key in (*files, "manifest.json")}
    for key, fact in files.items():
        data = lk.storage.read(f"{folder}/{key}")
        assert fact == {"size": len(data), "xxh3_128": xxhash.xxh3_128(data).hexdigest()}


def test_whole_shards_are_written_as_they_fill(lk: Lake) -> None:
    writer = LatentStoreWriter(lk.storage, "job")
    for i in range(7):
        writer.append(i, latents(10))
    shards = [file.path for file in lk.storage.list_files(writer.folder)]
    assert len(shards) == 2
    writer.abandon()
    assert not list(lk.storage.list_files("latents"))


def test_an_error_leaves_nothing(lk: Lake) -> None:
    def structures() -> Iterator[np.ndarray]:
        yield latents(100)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), open_latent_store(lk.storage, "job") as writer:
        all(writer.append(1, array) for array in structures())
    assert not list(lk.storage.list_files("latents"))


def test_a_closed_store_never_changes_and_a_job_may_run_again(lk: Lake) -> None:
    writer = LatentStoreWriter(lk.storage, "job")
    writer.append(1, latents(3))
    writer.close()
    with pytest.raises(ConflictError, match="closed"):
        writer.append(2, latents(3))
    assert LatentStoreWriter(lk.storage, "job").folder != writer.folder


@pytest.mark.parametrize("shape", [(3,), (0, 4), (3, 0), (1, 2, 3)])
def test_other_shapes_are_refused(lk: Lake, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match="n_atoms, n_features"):
        LatentStoreWriter(lk.storage, "job").append(1, np.zeros(shape))


def test_another_width_in_one_layer_is_refused(lk: Lake) -> None:
    writer = LatentStoreWriter(lk.storage, "job")
    writer.append(1, latents(3, 4))
    with pytest.raises(InvalidInputError, match="have 5 features"):
        writer.append(2, latents(3, 5))


def test_values_beyond_float16_are_refused(lk: Lake) -> None:
    writer = LatentStoreWriter(lk.storage, "job", dtype="float16")
    with pytest.raises(InvalidInputError, match="float32"):
        writer.append(1, np.array([[70_000.0]]))
    with pytest.raises(InvalidInputError, match="float64"):
        LatentStoreWriter(lk.storage, "job", dtype="float64")


@pytest.mark.parametrize(
    ("n_features", "more", "said"),
    [
        (4, {"definition": "other"}, "defined by other"),
        (5, {}, "5 features"),
        (4, {"model_id": 8}, "model_id 8,"),
    ],
)
def test_latents_of_two_kinds_are_not_mixed(
    lk: Lake, n_features: int, more: dict[str, Any], said: str
) -> None:
    point(lk, write(lk, {1: latents(3)}))
    point(lk, write(lk, {2: latents(3, n_features)}), **more)
    with pytest.raises(InvalidInputError, match="2 kinds") as caught:
        lk.latents(dataset="cu", model="m1")
    assert said in str(caught.value).partition("2 kinds")[2]


def test_what_is_not_there_names_what_is(lk: Lake) -> None:
    with pytest.raises(NotFoundError, match="There are none"):
        lk.latents(dataset="cu", model="m1")
    point(lk, write(lk, {1: latents(3)}))
    with pytest.raises(NotFoundError, match="cu / m1 / last"):
        lk.latents(dataset="cu", model="m2")


def test_a_pointer_past_its_array_and_a_lost_array_are_corruption(lk: Lake) -> None:
    pointers = write(lk, {1: latents(3)})
    point(lk, pointers, n_atoms=5)
    with pytest.raises(CorruptLakeError, match="has 3 rows"):
        list(lk.latents(dataset="cu", model="m1"))
    (Path(lk.storage.url(pointers[0].store)) / "zarr.json").unlink()
    with pytest.raises(CorruptLakeError, match="missing"):
        list(lk.latents(dataset="cu", model="m1"))


def test_workers_commit_latents_without_polars_and_duckdb(lk: Lake) -> None:
    point(lk, write(lk, {1: latents(2)}))
    code = (
        "import sys, lake\n"
        "from lake.log.attempt import check_files\n"
        "from lake.log.changes import Changes\n"
        "lk = lake.open(sys.argv[1])\n"
        "check_files(lk.storage, Changes(added={'embeddings': lk.reader.files('embeddings')}))\n"
        "print([name for name in ('duckdb', 'polars', 'torch') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, lk.storage.uri]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
