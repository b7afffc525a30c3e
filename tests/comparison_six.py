"""Six random structures with two losses and two seeds, and what a comparison takes of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from comparison_lakes import random_members, random_samples, write_samples

from lake.lake import Lake
from queries.losses.comparison import compare

SAMPLES = random_samples(6)
MEMBERS = random_members(SAMPLES, ("MSE", "RMCE"), (0, 1))


@pytest.fixture
def lake_of_six(lk: Lake) -> Lake:
    """Modules name this fixture `full`."""
    write_samples(lk, SAMPLES, MEMBERS)
    return lk


def indices(lk: Lake, **options: object) -> Sequence[int]:
    """Numbers of the structures that were compared."""
    result = compare(lk, dataset="cu", **options)  # type: ignore[arg-type]
    return result.tables["detailed_results"]["structure_idx"].unique().sort().to_list()
