"""Lakes of made-up forces, models and regions, with the numbers they were made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from lake_samples import append, label, model, prediction, region, source, structure
from numpy.typing import NDArray

from lake.lake import Lake

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
