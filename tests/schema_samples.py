"""Lakes of an earlier and of a newer atomlake, and writers of one: ``python -m schema_samples``.

``LAKE WRITER N [TABLE.COLUMN …]`` commits N times the labels of a structure and a score. With
columns it does so as an atomlake without them, and without a thought of other columns than its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from lake_samples import (
    append,
    label,
    model,
    prediction,
    region,
    source,
    structure,
    vectors,
)

import lake
from lake.lake import Lake
from lake.log import commit_entry, transaction
from schemas import TABLES, Column, Table

OURS = dict(TABLES)
NULLABLE = [
    f"{table.name}.{column.name}"
    for table in TABLES.values()
    for column in table.columns
    if not column.required and column.name not in table.partition
]


@contextmanager
def earlier(columns: Iterable[str] = (), tables: Iterable[str] = ()) -> Iterator[None]:
    """What an atomlake does that declares no such columns (TABLE.COLUMN) and tables."""
    changed = {}
    for name, table in OURS.items():
        unknown = {each.partition(".")[2] for each in columns if each.startswith(f"{name}.")}
        kept = tuple(column for column in table.columns if column.name not in unknown)
        changed[name] = replace(table, columns=kept)
    for name in tables:
        del changed[name]
    with _declared(changed):
        yield


@contextmanager
def newer(*columns: str, tables: Iterable[str] = ()) -> Iterator[None]:
    """What an atomlake does that declares more columns (TABLE.COLUMN) and tables."""
    changed = dict(OURS)
    for each in columns:
        name, _, column = each.partition(".")
        more = Column(column, pa.float64(), "Declared later.")
        changed[name] = replace(changed[name], columns=(*changed[name].columns, more))
    first = {
        name: Table(name, "A later table.", ("n",), (Column("n", pa.int64(), "A number."),))
        for name in tables
    }
    with _declared(first | changed):
        yield


@contextmanager
def _declared(tables: dict[str, Table]) -> Iterator[None]:
    before = dict(TABLES)
    TABLES.clear()
    TABLES.update(tables)
    try:
        yield
    finally:
        TABLES.clear()
        TABLES.update(before)


def score(identity: int, dataset: str = "cu", n_atoms: int = 2) -> dict[str, Any]:
    numbers = ("", "_max", "_p95")
    return {
        "dataset": dataset,
        "saved_as": "first",
        "structure_id": identity,
        "n_atoms": n_atoms,
        "latent_variance_mean": 1.0,
        **{f"latent_variance_trace{each}": float(identity) for each in numbers},
        "energy_disagreement": 0.5,
        "force_disagreement": 0.25,
        "ensemble": "m*",
        "members": ["m1", "m2"],
        "model_ids": [7, 8],
        "layer": "last",
        "definition": "{}",
        "n_features": 4,
        "lake_version": 1,
    }


def full_rows(identity: int, dataset: str = "cu") -> dict[str, list[dict[str, Any]]]:
    """Rows of one structure in many tables, with a value in every column that may be NULL."""
    name, now = f"{dataset}-{identity}", datetime(2026, 1, 1, tzinfo=UTC)
    stress = dict.fromkeys(("xx", "yy", "zz", "yz", "xz", "xy"), 0.125)
    array = {"name": "tags", "n_columns": 1, "integers": [1, 2]}
    known = {"engine": "mace", "group": "MSE", "seed": 0, "parent": "m0", "options": "{}"}
    shape = {"r_max": 5.0, "elements": ["Cu"], "n_parameters": 9, "layers": [4], "config": "{}"}
    origin = {"run_id": "r", "run_project": "p", "added_at": now, "environment": "mace"}
    defect = {"centre": [0.0, 1.0, 2.0], "defect_kind": "vacancy", "n_defects": 1, "reason": "none"}
    found = {"centres": vectors(1, 2.0), "kinds": ["vacancy"], "parameters": "{}", "details": "{}"}
    run = {"project": "p", "run_id": name, "name": name, "state": "finished", "source_id": 1}
    texts = dict.fromkeys(("config", "summary", "attributes"), "{}")
    point = {"step": 1, "epoch": 0.5, "key": "loss", "value": 0.1, "other": "true"}
    return {
        "structures": [structure(identity, dataset, info="{}", arrays=[array])],
        "labels": [label(identity, dataset, stress=stress)],
        "predictions": [
            prediction(identity, dataset, stress=stress, dtype="float64", error="none")
        ],
        "models": [model(name, identity, dtype="float64", **known, **shape, **origin)],
        "regions": [region(identity, dataset, **defect, **found)],
        "ood_scores": [score(identity, dataset)],
        "sources": [source(1, dataset, source_units="{}")],
        "runs": [run | texts | {"created_at": now}],
        "training_history": [{"project": "p", "run_id": name, "logged_at": now, **point}],
    }


def writer(uri: str, number: int, n_commits: int, *unknown: str) -> subprocess.Popen[str]:
    """A process that commits several times, if need be as an atomlake without some columns."""
    command = [sys.executable, "-m", "schema_samples", uri, str(number), str(n_commits), *unknown]
    folder = Path(__file__).parent
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _write(uri: str, number: str, n_commits: str, *unknown: str) -> None:
    if unknown:
        transaction.refuse_newer = lambda *_: None
        commit_entry.declared_columns = dict
        for module in (transaction, commit_entry):
            module.with_columns = lambda storage, table, entry, below: entry
    with earlier(unknown):
        lk = lake.open(uri)
        for i in range(int(n_commits)):
            identity = 1000 * int(number) + i
            append(lk, labels=[label(identity)], ood_scores=[score(identity)])


def structures_of(lk: Lake, table: str) -> list[int]:
    return sorted(lk.scan(table).collect()["structure_id"])


if __name__ == "__main__":
    _write(*sys.argv[1:])
