"""A comparison of losses on random data, and the same data as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import comparison_arrays as arrays
import polars as pl
import pytest
from comparison_lakes import Member, Sample, random_members, random_samples, write_samples

import lake
from queries.losses.comparison import compare
from queries.losses.result import LossComparison

LOSSES = ("MSE", "RMCE", "TailHuber")
SEEDS = (0, 1, 2, 3)


@dataclass(frozen=True)
class Case:
    samples: Sequence[Sample]
    members: Sequence[Member]
    rows: list[dict[str, Any]]
    result: LossComparison

    def of(self, loss: str) -> list[Member]:
        return [member for member in self.members if member.loss == loss]


@pytest.fixture(scope="module")
def case_of_random_data(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Modules name this fixture `case`."""
    lk = lake.create(str(tmp_path_factory.mktemp("random") / "lake"))
    samples = random_samples(24)
    members = random_members(samples, LOSSES, SEEDS)
    write_samples(lk, samples, members)
    result = compare(lk, dataset="cu", rng_seed=11)
    return Case(samples, members, arrays.detailed(samples, members), result)


def same(found: Any, expected: Any) -> bool:
    if isinstance(found, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if found is None or isinstance(found, str):
        return bool(found == expected)
    return bool(found == pytest.approx(expected, rel=1e-10, abs=1e-14))


def find(frame: pl.DataFrame, **key: Any) -> dict[str, Any]:
    found = frame.filter(*[pl.col(name).eq_missing(value) for name, value in key.items()])
    assert len(found) == 1
    return found.row(0, named=True)
