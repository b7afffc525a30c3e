"""The tables of a comparison of losses once more, in numpy, one structure at a time.

Written from the definitions, without a look at the SQL: a peer for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from comparison_lakes import Floats, Member, Sample

Masks = dict[str, np.ndarray]


def masks(sample: Sample) -> Masks:
    two = [name or "" for name in sample.two]
    three = [name or "" for name in sample.three]
    return {
        "all": np.ones(len(two), bool),
        "defect": np.array([name == "defect" for name in two]),
        "bulk": np.array([name == "bulk" for name in two]),
        "core": np.array(["core" in name for name in three]),
        "shell": np.array([name == "shell" for name in three]),
        "outer": np.array(["bulk" in name for name in three]),
    }


def norms(sample: Sample, forces: Floats) -> Floats:
    return np.linalg.norm(forces - sample.reference, axis=1)


def mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None


def root_mean_square(values: Floats) -> float | None:
    return float(np.sqrt(np.mean(values**2))) if len(values) else None


def quotient(first: float | None, second: float | None) -> float | None:
    return None if first is None or not second else first / second


def deviation(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def given(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def detailed(samples: Sequence[Sample], members: Sequence[Member]) -> list[dict[str, Any]]:
    """One row per member and sample, with every region's mean and root mean square."""
    rows = []
    for member in sorted(members, key=lambda member: member.name):
        for i, sample in enumerate(samples):
            forces = member.forces[i]
            assert forces is not None
            errors = norms(sample, forces)
            row: dict[str, Any] = {"model": member.name, "loss": member.loss, "structure_idx": i}
            for name, mask in masks(sample).items():
                row[f"n_{name}"] = int(mask.sum())
                row[f"{name}_mae"] = mean(errors[mask])
                row[f"{name}_rmse"] = root_mean_square(errors[mask])
            row["ratio"] = quotient(row["defect_mae"], row["bulk_mae"])
            row["core_shell_ratio"] = quotient(row["core_mae"], row["shell_mae"])
            row["core_bulk_ratio"] = quotient(row["core_mae"], row["outer_mae"])
            rows.append(row)
    return rows


def column(rows: Sequence[dict[str, Any]], name: str, **key: Any) -> list[float]:
    """The values of a column that are there, of the rows with these values."""
    return given([row[name] for row in rows if all(row[k] == v for k, v in key.items())])


def pooled(samples: Sequence[Sample], members: Sequence[Member], region: str) -> Floats:
    """The errors of all atoms of a region, of all members."""
    parts = [
        norms(sample, member.forces[i])[masks(sample)[region]]  # type: ignore[arg-type]
        for member in members
        for i, sample in enumerate(samples)
    ]
    return np.concatenate(parts)


def mean_prediction(
    samples: Sequence[Sample],
    members: Sequence[Member],
    region: str,
    what: Callable[[Floats], float | None],
) -> list[float | None]:
    """A number of every structure, of the mean force of the members."""
    found = []
    for i, sample in enumerate(samples):
        forces = np.mean([member.forces[i] for member in members], axis=0)
        found.append(what(norms(sample, forces)[masks(sample)[region]]))
    return found
