"""Which structures a job carries: those that fulfil its condition, as SQL says by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lake_samples import ingest

import lake
from compute.jobs.choices import Shard
from compute.jobs.chosen import choose, chosen_places, pack_ids, unpack_ids
from compute.jobs.job import Job
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.rows.row_index import RowIndex

LARGEST = 2**63 - 4  # the samples add a few to it
IDS = {"cu": [*range(1, 10), LARGEST], "ni": list(range(5, 13))}


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """Two datasets that share structures; the energy of each is its id."""
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, IDS["cu"], "cu")
    ingest(lk, IDS["ni"], "ni", source_id=2)
    return lk


def indices(lk: Lake) -> dict[str, RowIndex]:
    reader = lk.reader
    return {
        d: RowIndex(lk.storage, "structures", reader.files("structures", dataset=d)) for d in IDS
    }


def chosen(lk: Lake, where: str | None, shard: Shard) -> set[tuple[str, int]]:
    of = indices(lk)
    packed = choose(lk.reader, of, where)
    job = Job("j", "uri", "predict", (), tuple(IDS), where=where, shard=shard, chosen=packed)
    again = Job.from_json(job.as_json())
    return {(d, i) for d in of for i in of[d].ids_at(chosen_places(again, d, of[d])).tolist()}


@pytest.mark.parametrize(
    ("where", "is_meant"),
    [
        (None, lambda dataset, i: True),
        ("structure_id % 3 = 0", lambda dataset, i: i % 3 == 0),
        ("dataset = 'ni'", lambda dataset, i: dataset == "ni"),
        ("energy > 6", lambda dataset, i: i > 6),
        ("n_atoms = 99", lambda dataset, i: False),
        ("structure_id = 2 OR energy = 12 -- no more", lambda dataset, i: i in (2, 12)),
    ],
)
def test_shards_together_are_what_the_condition_says(
    lk: Lake, where: str | None, is_meant: Callable[[str, int], bool]
) -> None:
    expected = {(d, i) for d, ids in IDS.items() for i in ids if is_meant(d, i)}
    assert chosen(lk, where, Shard()) == expected
    shards = [chosen(lk, where, Shard(k, 3)) for k in (1, 2, 3)]
    assert set().union(*shards) == expected
    assert sum(map(len, shards)) == len(expected)


def test_a_condition_that_is_none_is_refused_before_any_worker_starts(lk: Lake) -> None:
    with pytest.raises(InvalidInputError, match="--where 'colour = 1'"):
        choose(lk.reader, indices(lk), "colour = 1")


def test_ids_come_back_as_they_were(lk: Lake) -> None:
    ids = np.array([0, 1, -1, LARGEST, -(2**63)], np.int64)
    assert unpack_ids(pack_ids(ids)).tolist() == ids.tolist()
    assert unpack_ids(pack_ids(ids[:0])).tolist() == []
