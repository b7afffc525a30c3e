"""A lake of an earlier atomlake in an object store: read, written to, and read by others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import polars as pl
import pytest
from deltalake import DeltaTable
from lake_samples import append, label, region
from s3_server import BUCKET, running_server
from schema_samples import earlier, score

import lake
from lake.lake import Lake
from lake.rows.row_reader import RowReader
from schemas import TABLES

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, str]]:
    with running_server() as found:
        yield found


@pytest.fixture
def old(options: dict[str, str]) -> Lake:
    uri = f"s3://{BUCKET}/{uuid.uuid4().hex}/lake"
    with earlier(["regions.kinds", "labels.stress"], tables=["ood_scores"]):
        lk = lake.create(uri, options)
        append(lk, regions=[region(1)], labels=[label(1)])
    return lake.open(uri, options)


def test_columns_declared_since_are_null_and_are_written(old: Lake) -> None:
    assert old.sql("SELECT structure_id, kinds FROM regions").fetchall() == [(1, None)]
    assert RowReader(old.reader, "labels").fetch([1])["stress"].to_pylist() == [None]
    append(old, regions=[region(2, kinds=["vacancy"])], ood_scores=[score(2)])
    wanted = [(1, None), (2, ["vacancy"])]
    assert old.sql("SELECT structure_id, kinds FROM regions ORDER BY ALL").fetchall() == wanted
    scanned = old.scan("regions").select("structure_id", "kinds").sort("structure_id")
    assert scanned.collect().rows() == wanted
    assert old.optimize(["regions"])["files_before"].to_list() == [2]
    assert old.sql("SELECT structure_id, kinds FROM regions ORDER BY ALL").fetchall() == wanted
    for name, n_rows in (("regions", 2), ("ood_scores", 1), ("labels", 1)):
        delta = DeltaTable(old.storage.url(name), storage_options=dict(old.storage.options))
        assert len(pl.scan_delta(delta).collect()) == n_rows
        named = {field.name for field in delta.schema().fields}
        assert named == set(TABLES[name].arrow.names) - ({"stress"} if name == "labels" else set())
