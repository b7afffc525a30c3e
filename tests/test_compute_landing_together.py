"""Committing results while others commit, drop or take out what they rest on."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake_samples import count
from landing_samples import copper_lake, do_between, evaluated, job, landing, rows

from compute.worker.outcomes import Failure
from lake.errors import ConflictError
from lake.lake import Lake


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return copper_lake(tmp_path)


def test_what_another_job_committed_is_left_alone(lk: Lake) -> None:
    mine, theirs = landing(lk, layers={1: "last"}), landing(lk)
    mine.add(evaluated(1, 2, energy=100.0))
    theirs.add(evaluated(2, 3))
    theirs.commit()
    mine.commit()
    assert [row["energy"] for row in rows(lk)] == [101.0, 3.0, 4.0]
    # The others had no latents: these are new for both of ours.
    assert lk.scan("embeddings").collect()["structure_id"].sort().to_list() == [1, 2]
    assert lk.check() == []


def test_both_at_the_same_moment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other commits after our plan and before our entry."""
    mine, theirs = landing(lk), landing(lk)
    mine.add(evaluated(1, 2, energy=100.0))
    theirs.add(evaluated(2, 3))
    versions = do_between(monkeypatch, theirs.commit)
    mine.commit()
    assert len(versions) == 3  # ours, theirs, ours again
    assert [(row["structure_id"], row["energy"]) for row in rows(lk)] == [
        (1, 101.0),
        (2, 3.0),
        (3, 4.0),
    ]
    assert lk.check() == []


def test_both_fail_at_the_same_moment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = landing(lk), landing(lk)
    mine.add(Failure(1, 2, "mine"))
    theirs.add(Failure(1, 2, "theirs"))
    do_between(monkeypatch, theirs.commit)
    assert mine.commit() is None
    assert [row["error"] for row in rows(lk)] == ["theirs"]


def test_both_write_latents_at_the_same_moment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    of = job(task="latents", latents="last")
    mine, theirs = (landing(lk, of, layers={1: "last"}) for _ in range(2))
    mine.add(evaluated(1, 2))
    theirs.add(evaluated(2, 3))
    do_between(monkeypatch, theirs.commit)
    mine.commit()
    assert lk.scan("embeddings").collect()["structure_id"].sort().to_list() == [1, 2, 3]
    assert lk.check() == []


def test_structures_dropped_at_the_same_moment_get_no_rows(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = landing(lk)
    here.add(evaluated(1))
    do_between(monkeypatch, lambda: lk.drop(dataset="cu"))
    with pytest.raises(ConflictError, match="cu were dropped"):
        here.commit()
    assert count(lk, "predictions") == 0


def test_results_dropped_at_the_same_moment_are_written_anew(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = landing(lk)
    first.add(evaluated(1))
    first.commit()
    here = landing(lk)
    here.add(evaluated(1, 2))
    do_between(monkeypatch, lambda: lk.drop(dataset="cu", model="m1"))
    here.commit()
    assert [row["structure_id"] for row in rows(lk)] == [1, 2]


def test_a_job_on_other_structures_needs_no_second_plan(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = landing(lk), landing(lk)
    mine.add(evaluated(1))
    theirs.add(evaluated(2))
    versions = do_between(monkeypatch, theirs.commit)
    mine.commit()
    assert len(versions) == 2
    assert count(lk, "predictions") == 2


def test_structures_dropped_meanwhile_are_an_error(lk: Lake) -> None:
    here = landing(lk, layers={1: "last"})
    here.add(evaluated(1, 2))
    lk.drop(dataset="cu")
    with pytest.raises(ConflictError, match="cu were dropped"):
        here.commit()
    assert count(lk, "predictions") == 0
    assert lk.check() == []


def test_a_model_taken_out_meanwhile_is_an_error(lk: Lake) -> None:
    here = landing(lk)
    here.add(evaluated(1))
    old = lk.reader.files("models")
    from lake.log.transaction import Changes

    lk.commit("model remove", lambda state: Changes(removed={"models": old}))
    with pytest.raises(ConflictError, match="m1 was taken out"):
        here.commit()


@pytest.mark.parametrize("is_overtaken", [False, True])
def test_a_layer_is_kept_as_one_type_whoever_is_first(
    lk: Lake, monkeypatch: pytest.MonkeyPatch, is_overtaken: bool
) -> None:
    half, single = (
        landing(lk, job(latents="last", latents_dtype=dtype), layers={1: "last"})
        for dtype in ("float16", "float32")
    )
    half.add(evaluated(1, 2))
    single.add(evaluated(3, 4))
    if is_overtaken:
        do_between(monkeypatch, half.commit)
    else:
        half.commit()
    with pytest.raises(ConflictError, match="with --latents-dtype float16"):
        single.commit()
    stored = lk.scan("embeddings").collect()
    assert stored["structure_id"].sort().to_list() == [1, 2]
    assert set(stored["dtype"]) == {"float16"}
    assert count(lk, "predictions") == 2
    assert lk.check() == []


def test_another_layer_may_be_kept_as_another_type(lk: Lake) -> None:
    half = landing(lk, job(latents="last", latents_dtype="float16"), layers={1: "last"})
    half.add(evaluated(1))
    half.commit()
    single = landing(lk, job(latents="all"), layers={1: "0"})
    single.add(evaluated(1))
    single.commit()
    stored = lk.scan("embeddings").collect()
    assert sorted(zip(stored["layer"], stored["dtype"], strict=True)) == [
        ("0", "float32"),
        ("last", "float16"),
    ]
