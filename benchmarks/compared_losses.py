"""A lake of six losses and three seeds, made as arrays, with regions and training curves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.lake import Lake
from lake.log.data_files import DataFile, write_data_file
from lake.log.transaction import Changes
from schemas import TABLES

DATASET, PROJECT = "cu", "losses"
LOSSES = ("MSE", "RMSE", "RMCE", "RMQE", "TailHuber", "StratHuber")
SEEDS = (0, 1, 2)
KEYS = ("train_loss_step/weighted_sum", "val0_epoch/weighted_sum", "val0_epoch/forces_rmse")
STEPS_PER_EPOCH = 20
Floats = NDArray[np.float64]


def write_losses(lk: Lake, n_structures: int, n_atoms: int, n_epochs: int) -> None:
    """One commit with structures, labels, regions, models, predictions, runs and curves."""
    added: dict[str, list[DataFile]] = {}
    for table, n_rows, columns in parts(n_structures, n_atoms, n_epochs):
        partition = {name: columns[name] for name in TABLES[table].partition}
        rows = rows_of(table, n_rows, columns)
        file = write_data_file(lk.storage, TABLES[table], partition, uuid.uuid4().hex, rows)
        added.setdefault(table, []).append(file)
    lk.commit("append", lambda _: Changes(added=added))


def parts(
    n_structures: int, n_atoms: int, n_epochs: int
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """A table, a number of rows and their columns; a value stands for all rows."""
    random = np.random.default_rng(0)
    ids = np.arange(n_structures)
    shared = {"dataset": DATASET, "structure_id": ids, "n_atoms": n_atoms}
    atoms = n_structures * n_atoms
    reference = random.normal(0, 1, (3, atoms))
    yield "structures", n_structures, {
        **shared,
        **dict.fromkeys(("structure_check", "geometry_id", "geometry_check", "frame"), ids),
        "formula": f"Cu{n_atoms}",
        "config_type": "vac",
        "elements": pa.array([["Cu"]] * n_structures),
        "numbers": lists(np.full(atoms, 29), n_atoms),
        "positions": vectors(reference, n_atoms),
        "cell": lists(np.zeros(9 * n_structures), 9),
        "pbc": lists(np.ones(3 * n_structures, bool), 3),
    }  # fmt: skip
    labels = {"label_set": "dft", "forces": vectors(reference, n_atoms), "label_check": ids}
    yield "labels", n_structures, shared | labels
    distance = random.uniform(0, 10, atoms)
    two = np.where(distance < 3, "defect", np.where(distance > 7, "bulk", None))
    three = np.where(distance < 1, "core", np.where(distance < 5, "shell", "bulk")).astype(object)
    for scheme, names in (("legacy-2", two), ("legacy-3", three)):
        regions = {"region": lists(names, n_atoms), "distance": lists(distance, n_atoms)}
        yield "regions", n_structures, {
            **shared, **regions, "scheme": scheme, "defect_kind": "vacancy", "scheme_version": "1"
        }  # fmt: skip
    for number, (loss, seed) in enumerate((loss, seed) for loss in LOSSES for seed in SEEDS):
        name = f"{loss}_model{seed}"
        scale = 0.05 * (1 + LOSSES.index(loss) / 10) * random.uniform(0.95, 1.05)
        predicted = vectors(reference + random.normal(0, scale, reference.shape), n_atoms)
        named = {"model": name, "model_id": number}
        yield "predictions", n_structures, {
            **shared, **named, "forces": predicted, "status": "ok"
        }  # fmt: skip
        yield "models", 1, {
            **named, "engine": "allegro", "group": loss, "seed": seed, "path": name, "sha256": name
        }  # fmt: skip
        yield from training_of(name, n_epochs, random)


def training_of(
    name: str, n_epochs: int, random: np.random.Generator
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The run of a model, and what it logged."""
    run = {"project": PROJECT, "run_id": name}
    yield "runs", 1, {**run, "name": name, "state": "finished"}
    n_steps = n_epochs * STEPS_PER_EPOCH
    for key in KEYS:
        steps = np.arange(0, n_steps, 1 if key.startswith("train") else STEPS_PER_EPOCH)
        yield "training_history", len(steps), {
            **run,
            "step": steps,
            "epoch": steps // STEPS_PER_EPOCH,
            "key": key,
            "value": np.exp(-steps / n_steps) * random.uniform(0.9, 1.1, len(steps)),
        }  # fmt: skip


def rows_of(table: str, n_rows: int, columns: dict[str, Any]) -> pa.Table:
    """Columns as the table declares them."""
    arrays = []
    for field in TABLES[table].file_arrow:
        value = columns.get(field.name)
        if isinstance(value, pa.Array | np.ndarray):
            arrays.append(pa.array(value).cast(field.type))
        else:
            arrays.append(pa.repeat(pa.scalar(value, field.type), n_rows))
    return pa.Table.from_arrays(arrays, schema=TABLES[table].file_arrow)


def lists(values: NDArray[Any], size: int) -> pa.ListArray:
    """Lists of `size` values each."""
    offsets = np.arange(0, len(values) + 1, size, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def vectors(values: Floats, size: int) -> pa.StructArray:
    """Vectors of `size` atoms each, from shape (3, n)."""
    return pa.StructArray.from_arrays([lists(axis, size) for axis in values], ["x", "y", "z"])
