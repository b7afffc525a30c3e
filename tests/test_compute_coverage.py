"""The types that ``compute status`` shows: what was computed in, and what latents are kept as."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lake_samples import append, failed_prediction, ingest, latents, model, prediction

import lake
from compute import coverage
from lake.cli import root
from lake.lake import Lake
from lake.latents.latent_writer import LatentStoreWriter


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """Two datasets and two models that have computed nothing."""
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, [1, 2, 3], "cu")
    ingest(lk, [4], "ni", source_id=2)
    append(lk, models=[model(), model("m2", 8)])
    return lk


def pointer(lk: Lake, identity: int, layer: str, dtype: str) -> dict[str, Any]:
    """A row for latents of a structure, which are written."""
    store = LatentStoreWriter(lk.storage, "job", dtype=dtype)
    written = store.append(identity, latents(2), layer=layer)
    store.close()
    known = {"dataset": "cu", "model": "m1", "model_id": 7, "definition": "{}", "job_id": "job"}
    return known | asdict(written)


def types(lk: Lake) -> list[tuple[object, ...]]:
    columns = ("dataset", "model", "done", "failed", "dtype", "latents", "latents_dtype")
    return coverage(lk.reader).select(columns).rows()


def test_what_was_computed_names_its_types(lk: Lake) -> None:
    append(
        lk,
        predictions=[
            prediction(1, dtype="float64"),
            prediction(2, dtype="float32"),
            failed_prediction(3, dtype="float16"),  # it has no number of that type
            prediction(4, dataset="ni", model="m2", model_id=8, dtype=None),
        ],
        embeddings=[pointer(lk, 1, "last", "float32"), pointer(lk, 1, "0", "float16")],
    )
    assert types(lk) == [
        ("cu", "m1", 2, 1, "float32, float64", 1, "float16, float32"),
        ("cu", "m2", 0, 0, None, 0, None),
        ("ni", "m1", 0, 0, None, 0, None),
        ("ni", "m2", 1, 0, None, 0, None),
    ]


def test_status_shows_them(lk: Lake) -> None:
    append(lk, predictions=[prediction(1, dtype="float64")])
    append(lk, embeddings=[pointer(lk, 1, "last", "float16")])
    words = ["--lake", lk.storage.uri, "compute", "status", "--dataset", "cu", "--model", "m1"]
    header, _, row = CliRunner().invoke(root, words).stdout.splitlines()
    assert header.split()[-3:] == ["dtype", "latents", "latents_dtype"]
    assert row.split()[-3:] == ["float64", "1", "float16"]
