"""A small comparison of losses whose numbers can be worked out by hand.

Two losses, two seeds, two structures. Errors point along z, so that the number is the norm:

    structure 0   defect+core  defect+core+outer  bulk+shell  outer      (outer: the bulk of three)
    MSE_model0        0.1            0.3              0.2       0.4
    MSE_model1        0.3            0.5              0.2       0.2
    Huber_model0     -0.2            0.2              0.1       0.1
    Huber_model1      0.2            0.4              0.3       0.3

    structure 1   bulk+core   bulk+shell
    MSE_model0        0.2         0.4
    MSE_model1        0.4         0.4
    Huber_model0      0.1         0.3
    Huber_model1      0.1         0.1

Structure 1 has no defect atoms in two regions, and no bulk in three.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from comparison_lakes import Member, Sample, write_samples

import lake
from queries.losses.comparison import compare
from queries.losses.result import LossComparison

ERRORS = {
    ("MSE", 0): ([0.1, 0.3, 0.2, 0.4], [0.2, 0.4]),
    ("MSE", 1): ([0.3, 0.5, 0.2, 0.2], [0.4, 0.4]),
    ("Huber", 0): ([-0.2, 0.2, 0.1, 0.1], [0.1, 0.3]),
    ("Huber", 1): ([0.2, 0.4, 0.3, 0.3], [0.1, 0.1]),
}
SAMPLES = [
    Sample(
        np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 0.5, 0.0], [0.0, 0.0, 4.0]]),
        ["defect", "defect", "bulk", None],
        ["core", "core+bulk", "shell", "bulk"],
        "vac",
        "vacancy",
    ),
    Sample(np.array([[1.0, 0, 0], [2.0, 0, 0]]), ["bulk"] * 2, ["core", "shell"], "sia", "none"),
]


def along_z(reference: Any, errors: list[float]) -> Any:
    moved = reference.copy()
    moved[:, 2] += errors
    return moved


def compare_by_hand(folder: Path) -> LossComparison:
    """The comparison of the numbers above."""
    lk = lake.create(str(folder / "lake"))
    members = [
        Member(
            f"{loss}_model{seed}",
            loss,
            seed,
            [along_z(s.reference, e) for s, e in zip(SAMPLES, errors, strict=True)],
        )
        for (loss, seed), errors in ERRORS.items()
    ]
    write_samples(lk, SAMPLES, members)
    return compare(lk, dataset="cu")


def row(result: LossComparison, table: str, **key: Any) -> dict[str, Any]:
    """The one row of a table with these values."""
    matches = [pl.col(name).eq_missing(value) for name, value in key.items()]
    found = result.tables[table].filter(*matches)
    assert len(found) == 1
    return found.row(0, named=True)


def close(expected: dict[str, Any]) -> Any:
    return pytest.approx(expected, abs=1e-12)
