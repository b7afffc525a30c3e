"""Lakes of made-up forces, models and regions, with the numbers they were made of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from lake_samples import append, label, model, prediction, region, source, structure
from numpy.typing import NDArray

from lake.lake import Lake
from lake.log.data_files import write_data_file
from lake.log.transaction import Changes
from schemas import TABLES

Floats = NDArray[np.float64]
Labels = Sequence[str | None]
RMS = {"MSE": 0.10, "RMSE": 0.11, "Huber": 0.12, "RMCE": 0.13, "RMQE": 0.14, "TailHuber": 0.15}


@dataclass(frozen=True)
class Sample:
    """One structure: reference forces of shape (n, 3), and the labels of its atoms."""

    reference: Floats
    two: Labels
    three: Labels
    config_type: str = "vac"
    defect_kind: str | None = "vacancy"


@dataclass(frozen=True)
class Member:
    """One model: its name, loss and seed, and a force of shape (n, 3) for every sample."""

    name: str
    loss: str | None
    seed: int | None
    forces: Sequence[Floats | None]
    more: Mapping[str, Any] = field(default_factory=dict)


def vectors(forces: Floats) -> dict[str, list[float]]:
    return {axis: forces[:, i].tolist() for i, axis in enumerate("xyz")}


def write_samples(
    lake: Lake,
    samples: Sequence[Sample],
    members: Sequence[Member],
    family: str = "legacy",
    parameters: str = "{}",
) -> None:
    """Structures 0, 1, … in reverse, so that the order of the files is not that of the rows."""
    numbered = list(enumerate(samples))[::-1]
    structures, labels, regions = [], [], []
    for i, sample in numbered:
        n_atoms = len(sample.two)
        structures.append(structure(i + 10, n_atoms=n_atoms, config_type=sample.config_type))
        structures[-1]["frame"] = i
        labels.append(label(i + 10, n_atoms=n_atoms, forces=vectors(sample.reference)))
        for scheme, given in ((f"{family}-2", sample.two), (f"{family}-3", sample.three)):
            regions.append(
                region(
                    i + 10,
                    n_atoms=n_atoms,
                    scheme=scheme,
                    region=list(given),
                    distance=[0.0] * n_atoms,
                    defect_kind=sample.defect_kind,
                    parameters=parameters,
                )
            )
    append(
        lake,
        structures=structures,
        labels=labels,
        sources=[source(len(samples))],
        regions=regions,
        **member_rows(members),
    )


def write_members(lake: Lake, members: Sequence[Member]) -> None:
    """Models and what they predict; no row where a member has no force for a sample."""
    append(lake, **member_rows(members))


def member_rows(members: Sequence[Member]) -> dict[str, list[dict[str, Any]]]:
    """Rows of models and predictions."""
    models, predictions = [], []
    for number, member in enumerate(members):
        row = model(
            member.name,
            model_id(member.name),
            group=member.loss,
            seed=member.seed,
            sha256=f"{number:064x}",
            **member.more,
        )
        models.append(row)
        predictions += [
            prediction(
                i + 10,
                model=member.name,
                model_id=model_id(member.name),
                n_atoms=len(forces),
                forces=vectors(forces),
            )
            for i, forces in enumerate(member.forces)
            if forces is not None
        ]
    return {"models": models, "predictions": predictions}


def model_id(name: str) -> int:
    return int.from_bytes(name.encode()[-7:].rjust(8, b"\0"), "big", signed=True)


def random_samples(n_structures: int = 7, seed: int = 0) -> list[Sample]:
    """Structures of unequal size, some without bulk, without defect, or without any label."""
    random = np.random.default_rng(seed)
    samples = []
    for i in range(n_structures):
        n_atoms = int(random.integers(3, 40)) if i else 1
        two = random.choice(["defect", "bulk", ""], n_atoms)
        three = random.choice(["core", "shell", "bulk", "core+bulk"], n_atoms)
        if i == 1:
            two[two == "bulk"] = "defect"
        if i == 2:
            two[:], three[:] = "bulk", "bulk"
        samples.append(
            Sample(
                random.normal(0, 1, (n_atoms, 3)),
                [str(name) or None for name in two],
                [str(name) for name in three],
                "sia" if i % 2 else "vac",
                "interstitial" if i % 2 else "vacancy",
            )
        )
    return samples


def random_members(
    samples: Sequence[Sample], losses: Sequence[str], seeds: Sequence[int]
) -> list[Member]:
    random = np.random.default_rng(1)
    return [
        Member(
            f"{loss}_model{seed}",
            loss,
            seed,
            [s.reference + random.normal(0, RMS[loss], s.reference.shape) for s in samples],
        )
        for loss in losses
        for seed in seeds
    ]


def write_large_lake(
    lake: Lake, n_structures: int, n_atoms: int, losses: Sequence[str], seeds: Sequence[int]
) -> None:
    """A lake of equal structures, made as arrays: `write_samples` would take minutes."""
    random = np.random.default_rng(0)
    ids = np.arange(n_structures)
    reference = random.normal(0, 1, (3, n_structures * n_atoms))
    shared = {"dataset": "cu", "structure_id": ids, "n_atoms": n_atoms}
    checks = ("structure_check", "geometry_id", "geometry_check")
    put(
        lake,
        "structures",
        n_structures,
        **shared,
        **dict.fromkeys(checks, ids),
        formula=f"Cu{n_atoms}",
        config_type="vac",
        numbers=listed(np.full(n_structures * n_atoms, 29), n_atoms),
        elements=pa.array([["Cu"]] * n_structures),
        positions=structs(reference, n_atoms),
        cell=listed(np.zeros(9 * n_structures), 9),
        pbc=listed(np.ones(3 * n_structures, bool), 3),
        source_id=1,
        frame=ids,
    )
    put(
        lake,
        "labels",
        n_structures,
        **shared,
        label_set="dft",
        forces=structs(reference, n_atoms),
        label_check=ids,
    )
    distance = random.uniform(0, 10, n_structures * n_atoms)
    two = np.where(distance < 3, "defect", np.where(distance > 7, "bulk", None))
    three = np.where(distance < 1, "core", np.where(distance < 5, "shell", "bulk"))
    for scheme, labels in (("legacy-2", two), ("legacy-3", three.astype(object))):
        put(
            lake,
            "regions",
            n_structures,
            **shared,
            scheme=scheme,
            region=listed(labels, n_atoms),
            distance=listed(distance, n_atoms),
            defect_kind="vacancy",
            scheme_version="1",
        )
    append(lake, sources=[source(n_structures)])
    for loss in losses:
        for seed in seeds:
            name = f"{loss}_model{seed}"
            append(lake, models=[model(name, model_id(name), group=loss, seed=seed)])
            forces = reference + random.normal(0, RMS[loss], reference.shape)
            put(
                lake,
                "predictions",
                n_structures,
                **shared,
                model=name,
                model_id=model_id(name),
                forces=structs(forces, n_atoms),
                status="ok",
            )


def put(lake: Lake, table: str, n_rows: int, **columns: Any) -> None:
    """Commit one partition of a table, given as arrays and as values that all rows share."""
    declared = TABLES[table]
    partition = {name: columns.pop(name) for name in declared.partition}
    arrays = []
    for field_ in declared.file_arrow:
        value = columns.pop(field_.name, None)
        if isinstance(value, pa.Array):
            arrays.append(value.cast(field_.type))
        elif isinstance(value, np.ndarray):
            arrays.append(pa.array(value).cast(field_.type))
        else:
            arrays.append(pa.repeat(pa.scalar(value, field_.type), n_rows))
    assert not columns, f"{table} has no {', '.join(columns)}"
    rows = pa.Table.from_arrays(arrays, schema=declared.file_arrow)
    file = write_data_file(lake.storage, declared, partition, uuid.uuid4().hex, rows)
    lake.commit("put", lambda state: Changes(added={table: [file]}))


def listed(values: NDArray[Any], size: int) -> pa.Array:
    offsets = np.arange(0, len(values) + 1, size, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def structs(values: Floats, size: int) -> pa.Array:
    return pa.StructArray.from_arrays([listed(v, size) for v in values], ["x", "y", "z"])


def write_curves(
    lake: Lake, rows: Sequence[tuple[str, str, int, float | None, str, float]]
) -> None:
    """Runs and their curves: run_id, name, step, epoch, key, value."""
    now = datetime.now(UTC)
    runs = {
        run_id: {
            "project": "p",
            "run_id": run_id,
            "name": name,
            "state": "finished",
            "created_at": now,
        }
        for run_id, name, *_ in rows
    }
    history = [
        {
            "project": "p",
            "run_id": run_id,
            "step": step,
            "epoch": epoch,
            "key": key,
            "value": value,
            "logged_at": now,
        }
        for run_id, _, step, epoch, key, value in rows
    ]
    append(lake, runs=list(runs.values()), training_history=history)
