"""Dropping a dataset, a label set, or a model's results."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from lake_samples import (
    append,
    count,
    ingest,
    label,
    latents,
    model,
    prediction,
    region,
    source,
)
from writer_samples import once_planned

import lake
from lake.errors import NotFoundError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """Datasets cu and ni; cu has two label sets, two models and regions."""
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, [1, 2, 3], "cu", source_id=1)
    ingest(lk, [4], "ni", source_id=2)
    with open_latent_store(lk.storage, "job") as writer:
        pointer = writer.append(1, latents(2))
    reject = {"dataset": "cu", "source_id": 3, "uri": "emt", "frame": 0, "reason": "bad"}
    append(
        lk,
        labels=[label(1, label_set="emt")],
        sources=[source(1, "cu", 3, label_set="emt", frames_read=2, rejects=1)],
        rejects=[reject],
        predictions=[prediction(1), prediction(2, model="m2", model_id=8)],
        embeddings=[{"dataset": "cu", "model": "m1", "model_id": 7, **pointer.as_row()}],
        regions=[region(1)],
        models=[model(), model("m2", 8)],
    )
    return lk


TABLES = ("structures", "labels", "predictions", "embeddings", "regions", "sources", "rejects")


def counts(lk: Lake) -> dict[str, int]:
    return {name: count(lk, name) for name in TABLES}


def test_a_dataset_goes_with_all_that_belongs_to_it(lk: Lake) -> None:
    before = counts(lk)
    found = lk.drop(dataset="cu")
    assert dict(found.select("table", "rows_removed").rows()) == {
        "structures": 3,
        "labels": 4,
        "predictions": 2,
        "embeddings": 1,
        "regions": 1,
        "sources": 2,
        "rejects": 1,
    }
    assert counts(lk) == dict.fromkeys(TABLES, 0) | {"structures": 1, "labels": 1, "sources": 1}
    assert counts(lk.at(3)) == before
    assert lk.check() == []
    assert lk.log()["operation"][0] == "drop"


def test_what_was_dropped_can_be_ingested_again(lk: Lake) -> None:
    lk.drop(dataset="cu")
    ingest(lk, [1, 2, 3], "cu", source_id=1)
    assert lk.scan("structures", dataset="cu").collect().height == 3


def test_accounts_of_training_runs_stay_where_a_project_is_called_like_the_dataset(
    lk: Lake,
) -> None:
    reject = {"dataset": "cu", "source_id": 9, "uri": "log", "frame": 0, "reason": "torn"}
    append(
        lk,
        sources=[source(5, "cu", 9, format="mace-log", frames_read=6, rejects=1)],
        rejects=[reject],
    )
    lk.drop(dataset="cu")
    assert lk.scan("structures", dataset="cu").collect().is_empty()
    for table in ("sources", "rejects"):
        kept = lk.scan(table, dataset="cu").collect()
        assert kept["source_id"].to_list() == [9]


def test_a_label_set_goes_and_the_sources_stay_in_no_label_set(lk: Lake) -> None:
    before = counts(lk)
    found = lk.drop(dataset="cu", label_set="emt")
    assert found.rows() == [("labels", 1, 1)]
    assert counts(lk) == before | {"labels": 4}
    assert lk.check() == []
    sources = lk.scan("sources", dataset="cu").sort("source_id").collect()
    assert sources.select("source_id", "label_set").rows() == [(1, "dft"), (3, None)]


def test_structures_that_stay_keep_their_source(lk: Lake) -> None:
    lk.drop(dataset="cu", label_set="dft")
    orphans = lk.sql("FROM structures ANTI JOIN sources USING (dataset, source_id)").pl()
    assert orphans.is_empty()
    assert lk.check() == []


def test_sources_in_one_file_are_told_apart(lk: Lake) -> None:
    append(
        lk,
        labels=[label(2, label_set="emt", source_id=4)],
        sources=[source(1, "cu", 4, label_set="emt"), source(1, "cu", 5, label_set="xtb")],
    )
    lk.drop(dataset="cu", label_set="emt")
    kept = (
        lk.scan("sources", dataset="cu")
        .filter(pl.col("label_set").is_null())
        .collect()["source_id"]
    )
    named = lk.scan("sources", dataset="cu").drop_nulls("label_set").collect()["source_id"]
    assert (sorted(kept), sorted(named)) == ([3, 4], [1, 5])


def test_a_models_results_go(lk: Lake) -> None:
    before = counts(lk)
    lk.drop(dataset="cu", model="m1")
    assert counts(lk) == before | {"predictions": 1, "embeddings": 0}
    assert list(lk.storage.list_files("latents")), "arrays are left to vacuum"


@pytest.mark.parametrize(
    ("what", "near"),
    [
        ({"dataset": "cuu"}, "Did you mean cu"),
        ({"dataset": "cu", "label_set": "emtt"}, "Did you mean emt"),
        ({"dataset": "cu", "model": "m3"}, "m1, m2|m2, m1"),
        ({"dataset": "ni", "model": "m1"}, "There are none"),
    ],
)
def test_what_is_not_there_names_what_is(lk: Lake, what: dict[str, str], near: str) -> None:
    version = lk.version
    with pytest.raises(NotFoundError, match=near):
        lk.drop(**what)
    assert lk.version == version


def test_rows_that_come_while_a_drop_is_planned_go_too(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Lake(lk.storage)
    once_planned(monkeypatch, lk, lambda: ingest(other, [9], "cu", source_id=9))
    found = lk.drop(dataset="cu")
    assert dict(found.select("table", "rows_removed").rows())["structures"] == 4
    assert lk.scan("structures", dataset="cu").collect().is_empty()


def test_another_dataset_does_not_disturb_a_drop(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    other, plans = Lake(lk.storage), []
    commit = lk.commit

    def overtaken(operation, plan, **named):
        def slow_plan(state):
            changes = plan(state)
            plans.append(state.version)
            ingest(other, [9 + len(plans)], "ni", source_id=9 + len(plans))
            return changes

        return commit(operation, slow_plan, **named)

    monkeypatch.setattr(lk, "commit", overtaken)
    lk.drop(dataset="cu")
    assert plans == [3]
    assert lk.scan("structures").collect()["dataset"].to_list() == ["ni", "ni"]
