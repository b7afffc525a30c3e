"""Small lakes for the tests of lake/: made-up structures, written as an ingest would."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from deltalake import DeltaTable

import lake
from lake.lake import Lake
from lake.log.data_files import DataFile, partitions, write_data_file
from lake.log.transaction import Changes
from schemas import TABLES


def vectors(n_atoms: int, value: float = 0.0) -> dict[str, list[float]]:
    return {axis: [value] * n_atoms for axis in "xyz"}


def structure(identity: int, dataset: str = "cu", n_atoms: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "structure_id": identity,
        "structure_check": identity + 1,
        "geometry_id": identity + 2,
        "geometry_check": identity + 3,
        "n_atoms": n_atoms,
        "formula": f"Cu{n_atoms}",
        "elements": ["Cu"],
        "numbers": [29] * n_atoms,
        "positions": vectors(n_atoms, float(identity)),
        "cell": [0.0] * 9,
        "pbc": [False] * 3,
        "config_type": "bulk",
        "source_id": 1,
        "frame": identity,
        **more,
    }


def label(identity: int, dataset: str = "cu", n_atoms: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "label_set": "dft",
        "structure_id": identity,
        "n_atoms": n_atoms,
        "energy": float(identity),
        "forces": vectors(n_atoms, 0.5),
        "label_check": identity,
        "source_id": 1,
        "frame": identity,
        **more,
    }


def prediction(identity: int, dataset: str = "cu", n_atoms: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "model": "m1",
        "structure_id": identity,
        "model_id": 7,
        "n_atoms": n_atoms,
        "energy": float(identity),
        "forces": vectors(n_atoms, 0.25),
        "status": "ok",
        "job_id": "job",
        **more,
    }


def failed_prediction(identity: int, **more: Any) -> dict[str, Any]:
    nothing = {"energy": None, "forces": None}
    return prediction(identity, **nothing, status="failed", error="too large", **more)


def model(name: str = "m1", identity: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "model_id": identity,
        "model": name,
        "engine": "mace",
        "path": "m",
        "sha256": "0",
        **more,
    }


def region(identity: int, dataset: str = "cu", n_atoms: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "scheme": "vacancy",
        "structure_id": identity,
        "n_atoms": n_atoms,
        "region": ["core"] * n_atoms,
        "distance": [1.0] * n_atoms,
        "scheme_version": "1",
        **more,
    }


def source(n_rows: int, dataset: str = "cu", identity: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "source_id": identity,
        "uri": "cu.extxyz",
        "format": "extxyz",
        "sha256": "0" * 64,
        "size": 100,
        "label_set": "dft",
        "options": "{}",
        "frames_read": n_rows,
        "rows": n_rows,
        "duplicates": 0,
        "rejects": 0,
        "read_at": datetime.now(UTC),
        **more,
    }


def files(lake: Lake, table: str, rows: Sequence[dict[str, Any]]) -> list[DataFile]:
    """Rows written into data files, not committed yet."""
    declared = TABLES[table]
    whole = pa.Table.from_pylist(list(rows), schema=declared.arrow)
    return [
        write_data_file(lake.storage, declared, partition, uuid.uuid4().hex, part)
        for partition, part in partitions(declared, whole)
    ]


def append(lake: Lake, operation: str = "append", **rows: Sequence[dict[str, Any]]) -> int | None:
    """Commit rows to tables; the version."""
    added = {table: files(lake, table, each) for table, each in rows.items()}
    return lake.commit(operation, lambda state: Changes(added=added))


def ingest(lake: Lake, identities: Sequence[int], dataset: str = "cu", source_id: int = 1) -> int:
    """What an ingest of frames with labels commits."""
    version = append(
        lake,
        "ingest extxyz",
        structures=[structure(i, dataset, source_id=source_id) for i in identities],
        labels=[label(i, dataset, source_id=source_id) for i in identities],
        sources=[source(len(identities), dataset, source_id)],
    )
    assert version is not None
    return version


def count(lake: Lake, table: str) -> int:
    return int(lake.scan(table).collect().height)


def latents(n_atoms: int, n_features: int = 4, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=(n_atoms, n_features)).astype(np.float32)


def two_ingests(folder: Path) -> Lake:
    """A lake with the structures 1 and 2, of one ingest each."""
    lk = lake.create(str(folder))
    ingest(lk, [1], source_id=1)
    ingest(lk, [2], source_id=2)
    return lk


def ids(lk: Lake, dataset: str = "cu") -> list[int]:
    """Every structure_id of a dataset, sorted."""
    return sorted(lk.scan("structures", dataset=dataset).collect()["structure_id"])


def raw_ids(lk: Lake) -> list[int]:
    """What another Delta reader sees."""
    urls = DeltaTable(lk.storage.url("structures")).file_uris()
    frame = pl.concat([pl.read_parquet(url, columns=["structure_id"]) for url in urls])
    return sorted(frame["structure_id"])
