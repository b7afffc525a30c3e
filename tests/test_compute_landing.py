"""Committing results: rows, latents, and only what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from landing_samples import MODEL, copper_lake, evaluated, job, landing, missing, rows

from compute.jobs.choices import Shard
from compute.jobs.chosen import in_shard
from compute.worker.interval import PARTS_AT_ONCE, Interval
from compute.worker.outcomes import Failure
from compute.worker.rows import prediction_rows
from lake.lake import Lake


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return copper_lake(tmp_path)


def test_numbers_come_back_as_they_were_computed(lk: Lake) -> None:
    here = landing(lk)
    here.add(evaluated(1, 2))
    here.add(Failure(3, 2, "too large"))
    here.commit()
    first, second, third = rows(lk)
    assert (first["energy"], second["energy"], third["energy"]) == (2.0, 3.0, None)
    assert second["forces"] == {"x": [6.0, 9.0], "y": [7.0, 10.0], "z": [8.0, 11.0]}
    assert second["stress"] is None
    assert (third["status"], third["error"]) == ("failed", "too large")
    assert first["dtype"] == "float64"
    assert lk.check() == []
    assert missing(lk) == list(range(4, 11))


def test_a_member_without_numbers_is_a_failed_row(lk: Lake) -> None:
    here = landing(lk, layers={1: "last"})
    here.add(evaluated(1, 2, failed={0: "the model gave NaN"}))
    here.commit()
    assert [(row["status"], row["energy"]) for row in rows(lk)] == [("failed", None), ("ok", 3.0)]
    assert lk.scan("embeddings").collect()["structure_id"].to_list() == [2]
    assert lk.check() == []


def test_latents_alone_are_no_predictions(lk: Lake) -> None:
    of = job(task="latents", latents="last")
    here = landing(lk, of, layers={1: "last"})
    here.add(evaluated(1, 2))
    here.add(Failure(3, 2, "unknown element"))
    here.commit()
    assert [(row["structure_id"], row["status"]) for row in rows(lk)] == [(3, "failed")]
    assert missing(lk, of, ("last",)) == list(range(4, 11))
    assert missing(lk) == [1, 2, *range(4, 11)]
    batch = next(iter(lk.latents(dataset="cu", model="m1")))
    assert batch.num_rows == 4
    assert lk.check() == []


def test_predictions_without_latents_are_computed_again_for_them(lk: Lake) -> None:
    here = landing(lk)
    here.add(evaluated(1, 2))
    here.commit()
    of = job(latents="last")
    assert missing(lk, of, ("last",)) == list(range(1, 11))
    here = landing(lk, of, layers={1: "last"})
    here.add(evaluated(1, 2, energy=100.0))
    here.commit()
    assert [row["energy"] for row in rows(lk)] == [2.0, 3.0]
    assert missing(lk, of, ("last",)) == list(range(3, 11))


def test_latents_that_are_there_are_not_written_again(lk: Lake) -> None:
    here = landing(lk, layers={1: "last"})
    here.add(evaluated(1, 2))
    here.commit()
    before = sum(file.size for file in lk.storage.list_files("latents"))
    here = landing(lk, job(latents="last"), layers={1: "last"})
    here.add(evaluated(1, 2))
    assert here.commit() is None
    assert sum(file.size for file in lk.storage.list_files("latents")) == before
    here.add(evaluated(1, 2, 3, failed={1: "the model gave NaN"}))
    here.commit()
    pointers = lk.scan("embeddings").sort("structure_id").collect()
    assert pointers["structure_id"].to_list() == [1, 2, 3]
    latents = {
        row["structure_id"]: row["latent"]
        for batch in lk.latents(dataset="cu", model="m1")
        for row in batch.to_pylist()
    }
    assert latents[3] == [20.0, 21.0, 22.0, 23.0]
    assert lk.check() == []


def test_nothing_computed_commits_nothing(lk: Lake) -> None:
    before = lk.version
    assert landing(lk).commit() is None
    assert lk.version == before


@pytest.mark.parametrize("of", [1, 3, 7])
def test_shards_are_disjoint_and_hold_everything(of: int) -> None:
    ids = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 1000)
    parts = [set(ids[in_shard(ids, Shard(k, of))].tolist()) for k in range(1, of + 1)]
    assert set().union(*parts) == set(ids.tolist())
    assert sum(map(len, parts)) == len(set(ids.tolist()))
    for k in range(1, of + 1):
        again = [set(ids[in_shard(ids, Shard(k, of).part(j, 2))].tolist()) for j in (1, 2)]
        assert again[0] | again[1] == parts[k - 1]
        assert not again[0] & again[1]


def test_an_interval_ends_with_so_many_structures_failed_ones_too(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compute.worker.landing.MOST_STRUCTURES", 4)
    here = landing(lk)
    here.add(evaluated(1, 2))
    here.add(Failure(3, 2, "too large"))
    assert not here.is_due
    here.add(Failure(4, 2, "too large"))
    assert here.is_due
    here.commit()
    assert [row["status"] for row in rows(lk)] == ["ok", "ok", "failed", "failed"]
    assert not here.is_due


def test_rows_that_come_one_by_one_are_put_together() -> None:
    interval = Interval()
    for i in range(2 * PARTS_AT_ONCE + 10):
        interval.add_rows(prediction_rows(evaluated(i), MODEL, job(), "float64"))
    found = interval.rows()
    assert found["structure_id"].to_pylist() == list(range(2 * PARTS_AT_ONCE + 10))
    assert found["structure_id"].num_chunks < PARTS_AT_ONCE
