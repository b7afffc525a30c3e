"""Vacuum takes what nobody needs, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lake_samples import append, ids, ingest, latents, model, raw_ids, structure, two_ingests
from vacuum_samples import age, crash

from lake.checks.checking import notes
from lake.errors import InvalidInputError, NotFoundError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store
from lake.upkeep.vacuum import vacuum


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return two_ingests(tmp_path / "lake")


def test_a_clean_lake_loses_nothing(lk: Lake) -> None:
    lk.optimize()
    lk.drop(dataset="cu")
    age(lk)
    before = {file.path for file in lk.storage.list_files("")}
    assert lk.vacuum(dry_run=False, keep_days=7).is_empty()
    assert {file.path for file in lk.storage.list_files("")} == before
    assert ids(lk.at(2)) == [1, 2]


def test_orphans_and_unfinished_writes_go_once_they_are_old(lk: Lake) -> None:
    stray = lk.storage.root / "structures" / "dataset=cu" / "stray.parquet"
    unfinished = lk.storage.root / "structures" / "_delta_log" / ".x.json.7.tmp"
    staged = lk.storage.root / "structures" / "_delta_log" / "x.checkpoint.parquet#1"
    for file in (stray, unfinished, staged):
        file.write_text("x")
    assert lk.vacuum(dry_run=False).is_empty(), "an operation may be about to name them"
    age(lk)
    found = lk.vacuum()
    assert dict(found.select("file", "reason").rows()) == {
        "structures/dataset=cu/stray.parquet": "no version needs it",
        "structures/_delta_log/.x.json.7.tmp": "a write that did not finish",
        "structures/_delta_log/x.checkpoint.parquet#1": "a write that did not finish",
    }
    assert found["deleted"].to_list() == [False] * 3
    assert stray.exists()
    assert lk.vacuum(dry_run=False)["deleted"].to_list() == [True] * 3
    assert not any(file.exists() for file in (stray, unfinished, staged))
    assert lk.version == 2
    assert lk.check() == []


def test_old_holes_are_closed_so_that_other_readers_see_what_we_see(lk: Lake) -> None:
    crash(lk, [structure(66)])
    age(lk)
    ingest(lk, [3], source_id=3)
    crash(lk, [structure(77)])
    assert ids(lk) == [1, 2, 3]
    assert raw_ids(lk) == [1, 2, 3, 66, 77]
    version = lk.version
    found = lk.vacuum(dry_run=False)
    assert len(found) == 1, "the file of the old hole; the other is young"
    assert raw_ids(lk) == [1, 2, 3, 77]
    assert ids(lk) == [1, 2, 3]
    age(lk)
    assert len(lk.vacuum(dry_run=False)) == 1
    assert raw_ids(lk) == ids(lk) == [1, 2, 3]
    assert lk.version == version + 2
    assert ids(lk.at(version)) == [1, 2, 3]
    assert ids(lk.at(2)) == [1, 2]
    assert lk.diff(version, lk.version).is_empty()
    assert notes(lk.reader) == []
    assert lk.check() == []
    age(lk)
    assert lk.vacuum(dry_run=False).is_empty()
    assert lk.version == version + 2, "there was nothing left to close"
    ingest(lk, [4], source_id=4)
    assert raw_ids(lk) == ids(lk) == [1, 2, 3, 4]
    assert lk.check() == []


def test_what_a_hole_removed_comes_back_for_other_readers(lk: Lake) -> None:
    both = tuple(lk.reader.files("structures"))
    crash(lk, [structure(1), structure(2), structure(66)], removed=both)
    assert raw_ids(lk) == [1, 2, 66]
    age(lk)
    lk.vacuum(dry_run=False)
    assert raw_ids(lk) == ids(lk) == [1, 2]
    assert lk.check() == [], "checksums and counts of the files came back too"
    lk.optimize()
    assert raw_ids(lk) == ids(lk) == [1, 2]


def test_latents_no_row_points_at_go(lk: Lake) -> None:
    with open_latent_store(lk.storage, "used") as writer:
        used = writer.append(1, latents(2))
    with open_latent_store(lk.storage, "crashed") as writer:
        writer.append(1, latents(2))
    row = {"dataset": "cu", "model": "m", "model_id": 7, **used.as_row()}
    append(lk, embeddings=[row], models=[model("m")])
    lk.drop(dataset="cu", model="m")  # an older version still points there
    assert lk.vacuum(dry_run=False).is_empty(), "a job may still be writing"
    age(lk)
    found = lk.vacuum(dry_run=False)
    assert found["file"].str.starts_with("latents/crashed").all()
    assert set(found["reason"]) == {"no row points at its latents"}
    assert next(lk.at(3).latents(dataset="cu", model="m")).num_rows == 2
    assert lk.at(3).check() == []


def test_forgotten_versions_lose_their_files_and_tagged_ones_do_not(lk: Lake) -> None:
    lk.tag("paper", 1)
    lk.optimize()
    ingest(lk, [3], source_id=3)
    newest = lk.version
    assert ids(lk) == [1, 2, 3]
    assert vacuum(lk, keep_versions="tagged").is_empty(), "all were newest within seven days"
    found = lk.vacuum(dry_run=False, keep_days=0, keep_versions="tagged")
    assert found.height > 0
    assert ids(lk) == [1, 2, 3]
    assert ids(lk.at("paper")) == [1]
    assert lk.check() == lk.at("paper").check() == []
    assert lk.at(2).check(deep=False) != []
    with pytest.raises(NotFoundError, match=r"version 2.*vacuum"):
        lk.tag("late", 2)
    assert lk.version == newest
    assert lk.log().height == newest
    assert lk.vacuum(dry_run=False, keep_days=0).is_empty()


@pytest.mark.parametrize("options", [{"keep_days": -1}, {"keep_versions": "none"}])
def test_options_that_mean_nothing_are_refused(lk: Lake, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        vacuum(lk, **options)
