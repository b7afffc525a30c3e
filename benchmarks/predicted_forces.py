"""A lake of made-up reference forces, predicted forces and regions, for questions about errors."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from benchmarks.label_rows import LABELS, PARTITION
from lake.lake import Lake
from lake.log.data_files import DataFile, write_data_file
from lake.log.transaction import Changes
from schemas import TABLES, Table

DATASET, LABEL_SET = PARTITION["dataset"], PARTITION["label_set"]
ATOMS = 100
CHUNK = 5_000  # structures a data file
SCHEME = "legacy-3"
REGIONS = np.array(["core", "shell", "bulk", None], dtype=object)
SHARES = (0.08, 0.3, 0.57, 0.05)  # of the atoms


def write_predicted_forces(lk: Lake, n_structures: int, n_models: int) -> None:
    """One commit with labels, regions, models and the predictions of every model."""
    random = np.random.default_rng(4)
    files: dict[str, list[DataFile]] = {"labels": [], "regions": [], "predictions": []}
    for first in range(0, n_structures, CHUNK):
        identities = np.arange(first, min(first + CHUNK, n_structures), dtype=np.int64)
        for table, partition, columns in chunks(random, identities, n_models):
            rows = rows_of(table, {**partition, **columns}, len(identities))
            file = write_data_file(lk.storage, table, partition, uuid.uuid4().hex, rows)
            files[table.name].append(file)
    models = write_data_file(
        lk.storage, TABLES["models"], {}, uuid.uuid4().hex, models_of(n_models)
    )
    lk.commit("append", lambda _: Changes(added={**files, "models": [models]}))


def chunks(
    random: np.random.Generator, identities: np.ndarray, n_models: int
) -> Iterator[tuple[Table, dict[str, str], dict[str, object]]]:
    """A table, its partition and its other columns, for some structures."""
    size = len(identities)
    counts: dict[str, object] = {
        "structure_id": identities,
        "n_atoms": np.full(size, ATOMS, dtype=np.int32),
    }
    reference = random.normal(size=(3, size * ATOMS))
    checks = random.integers(np.iinfo(np.int64).max, size=size)
    yield LABELS, PARTITION, {**counts, "forces": vectors(reference), "label_check": checks}
    regions = REGIONS[random.choice(len(REGIONS), size=size * ATOMS, p=SHARES)]
    distances = random.uniform(0, 12, size=size * ATOMS)
    yield (
        TABLES["regions"],
        {"dataset": DATASET, "scheme": SCHEME},
        {
            **counts,
            "region": lists(pa.array(regions, pa.string())),
            "distance": lists(pa.array(distances)),
            "scheme_version": ["1"] * size,
        },
    )
    for model in range(n_models):
        predicted = reference + random.normal(scale=0.05, size=reference.shape)
        yield (
            TABLES["predictions"],
            {"dataset": DATASET, "model": f"model-{model}"},
            {
                **counts,
                "model_id": np.full(size, model, dtype=np.int64),
                "energy": random.normal(size=size),
                "forces": vectors(predicted),
                "status": ["ok"] * size,
            },
        )


def models_of(n_models: int) -> pa.Table:
    """Rows of `models`: three seeds a group."""
    rows = [
        {
            "model_id": model,
            "model": f"model-{model}",
            "engine": "mace",
            "group": f"loss-{model // 3}",
            "seed": model % 3,
            "path": f"model-{model}",
            "sha256": f"{model:064d}",
        }
        for model in range(n_models)
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["models"].arrow)


def lists(values: pa.Array) -> pa.Array:
    """Values of all atoms as one list per structure."""
    offsets = np.arange(len(values) // ATOMS + 1, dtype=np.int32) * ATOMS
    return pa.ListArray.from_arrays(offsets, values)


def vectors(values: np.ndarray) -> pa.Array:
    """Vectors of shape (3, n_atoms_total) as structs of lists."""
    return pa.StructArray.from_arrays([lists(pa.array(row)) for row in values], list("xyz"))


def rows_of(table: Table, columns: dict[str, object], n_rows: int) -> pa.Table:
    """Rows of a table; columns that are not given are NULL."""
    arrays = []
    for field in table.arrow:
        values = columns.get(field.name)
        if values is None:
            values = pa.nulls(n_rows, field.type)
        elif isinstance(values, str):
            values = pa.array([values] * n_rows, field.type)
        elif not isinstance(values, pa.Array):
            values = pa.array(values, field.type)
        arrays.append(values)
    return pa.table(dict(zip(table.arrow.names, arrays, strict=True))).cast(table.arrow)
