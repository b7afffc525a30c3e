"""A lake in an object store, read by DuckDB, by id and by torch; and never written by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import duckdb
import numpy as np
import pytest
from lake_samples import append, label, structure
from s3_server import running_server

import lake
from lake.errors import StorageError
from lake.lake import Lake
from lake.log import data_files
from lake.storage.object_storage import ObjectStorage
from lake.storage.range_file import RangeFile
from lake.storage.read_only_files import ReadOnlyFiles

pytestmark = pytest.mark.s3

FRAMES = 8
N_ATOMS = 100_000


def random_vectors(seed: int) -> dict[str, Any]:
    return dict(zip("xyz", np.random.default_rng(seed).normal(size=(3, N_ATOMS)), strict=True))


@pytest.fixture(scope="module")
def lk() -> Iterator[Lake]:
    """Eight structures in a file of 19 MB, a row group each: positions that do not compress."""
    with running_server() as options:
        boto3.client(
            "s3",
            endpoint_url=options["aws_endpoint"],
            region_name=options["aws_region"],
            aws_access_key_id=options["aws_access_key_id"],
            aws_secret_access_key=options["aws_secret_access_key"],
        ).create_bucket(Bucket="bucket")
        lk = lake.create("s3://bucket/lakes/demo", options)
        structures = [
            structure(i, n_atoms=N_ATOMS, positions=random_vectors(i)) for i in range(FRAMES)
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(data_files, "ATOMS_PER_ROW_GROUP", N_ATOMS)
            append(lk, structures=structures, labels=[label(2, n_atoms=N_ATOMS)])
        yield lk


@pytest.fixture
def connection(lk: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    assert isinstance(lk.storage, ObjectStorage)
    with duckdb.connect() as connection:
        connection.register_filesystem(ReadOnlyFiles(lk.storage))
        yield connection


def test_threads_that_read_one_file_do_not_disturb_each_other(
    lk: Lake, connection: duckdb.DuckDBPyConnection
) -> None:
    urls = lk.reader.urls("structures")
    connection.execute("SET threads = 4")
    for _ in range(3):
        found = connection.sql(
            f"SELECT structure_id, list_sum(positions.x), list_sum(positions.z) "
            f"FROM read_parquet({urls}) ORDER BY structure_id"
        ).fetchall()
        expected = [
            (i, v["x"].sum(), v["z"].sum()) for i in range(FRAMES) for v in [random_vectors(i)]
        ]
        np.testing.assert_allclose(np.array(found), np.array(expected), atol=1e-6)


@pytest.mark.parametrize("options", ["", ", USE_TMP_FILE false"])
def test_files_are_not_written(
    lk: Lake, connection: duckdb.DuckDBPyConnection, options: str
) -> None:
    (file, *_) = lk.reader.files("structures")
    path = f"structures/{file.path}"
    before = lk.storage.read(path)
    with pytest.raises(duckdb.Error, match="does not write"):
        connection.execute(f"COPY (SELECT 1) TO '{lk.storage.url(path)}' (FORMAT csv{options})")
    assert lk.storage.read(path) == before


def test_structures_are_read_by_id(lk: Lake) -> None:
    atoms = lk.atoms([3, 2])
    np.testing.assert_array_equal(atoms[0].positions[:, 0], random_vectors(3)["x"])
    assert atoms[1].get_potential_energy() == 2.0


def test_a_file_that_is_gone_is_told_with_its_place(lk: Lake) -> None:
    assert isinstance(lk.storage, ObjectStorage)
    with pytest.raises(StorageError, match=r"demo/gone.parquet.*bytes 0 to 10"):
        RangeFile(lk.storage, "gone.parquet", size=10).read()


def test_torch_streams_from_the_store(lk: Lake) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    dataset = lk.torch_dataset(buffer_bytes=1)
    assert sorted(int(item["structure_id"]) for item in dataset) == list(range(FRAMES))


def test_a_version_is_exported(lk: Lake, tmp_path: Any) -> None:
    lk.export_extxyz(str(tmp_path / "a.extxyz"))
    with (tmp_path / "a.extxyz").open("rb") as stream:
        assert sum(1 for _ in stream) == FRAMES * (N_ATOMS + 2)
    lk.export_parquet(str(tmp_path / "out"), ["structures"])
    assert len(list((tmp_path / "out" / "structures").iterdir())) == 1
