"""Failed rows: what takes their place, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lake_samples import append, model
from landing_samples import MODEL, copper_lake, evaluated, job, landing, missing, rows

from compute.jobs.done import DoneFiles
from compute.worker.landing import Landing
from compute.worker.outcomes import Failure
from lake.lake import Lake


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return copper_lake(tmp_path)


def test_an_answer_takes_the_place_of_a_reason(lk: Lake) -> None:
    first = landing(lk)
    first.add(evaluated(1))
    first.add(Failure(2, 2, "too large"))
    first.add(Failure(3, 2, "too large"))
    first.commit()
    assert missing(lk) == list(range(4, 11))
    again = job(only_failed=True)
    assert missing(lk, again) == [2, 3]
    second = landing(lk, again)
    second.add(evaluated(2))
    second.add(Failure(3, 2, "still too large"))
    second.commit()
    assert [(row["status"], row["error"]) for row in rows(lk)] == [
        ("ok", None),
        ("ok", None),
        ("failed", "still too large"),
    ]
    assert lk.check() == []
    assert missing(lk, again) == [3]


def test_answers_to_failures_in_many_files_leave_the_files_apart(lk: Lake) -> None:
    for i in (1, 3, 5):
        first = landing(lk)
        first.add(evaluated(i))
        first.add(Failure(i + 1, 2, "too large"))
        first.commit()
    alone = landing(lk)
    alone.add(Failure(7, 2, "too large"))
    alone.commit()
    second = landing(lk, job(only_failed=True))
    second.add(evaluated(2, 4, 6, 7))
    second.commit()
    assert [row["structure_id"] for row in rows(lk) if row["status"] == "ok"] == list(range(1, 8))
    # Never all at once in memory: one file of answers, and each of the three by itself.
    assert len(lk.reader.files("predictions")) == 4
    assert lk.check() == []


def test_a_failure_does_not_replace_an_answer_or_an_earlier_reason(lk: Lake) -> None:
    first = landing(lk)
    first.add(evaluated(1))
    first.add(Failure(2, 2, "first"))
    first.commit()
    second = landing(lk)
    second.add(Failure(1, 2, "second"))
    second.add(Failure(2, 2, "second"))
    assert second.commit() is None
    assert [row["error"] for row in rows(lk)] == [None, "first"]


def test_rows_of_a_file_that_had_the_name_before_are_left_alone(lk: Lake) -> None:
    before = landing(lk)
    before.add(evaluated(1))
    before.add(Failure(2, 2, "of the other file"))
    before.commit()
    append(lk, models=[model(model_id=8)])
    now = replace(MODEL, model_id=8)
    done = DoneFiles("cu", now).read(lk.reader)
    assert (done.predicted.tolist(), done.failed.tolist()) == ([], [])
    for outcome in (Failure(2, 2, "of this file"), evaluated(2)):
        of = job(models=(now,), only_failed=True)
        more = {"layers": {}, "definitions": {}, "dtype": None, "stored": {}}
        here = Landing(lk, of, now, DoneFiles("cu", now), **more)
        here.add(outcome)
        here.commit()
        lk.optimize()  # the failures of both models in one file
    found = [(row["model_id"], row["structure_id"], row["error"]) for row in rows(lk)]
    assert sorted(found, key=str) == [(7, 1, None), (7, 2, "of the other file"), (8, 2, None)]


def test_numbers_are_written_anew_once_however_often_answers_are_committed(lk: Lake) -> None:
    first = landing(lk)
    first.add(evaluated(1, 2, 3))
    for i in range(4, 8):
        first.add(Failure(i, 2, "too large"))
    first.commit()
    written: list[set[str]] = []
    for i in range(4, 8):
        again = landing(lk, job(only_failed=True))
        again.add(evaluated(i))
        again.commit()
        written.append(_files_of(lk, 1))
    assert [row["status"] for row in rows(lk)] == ["ok"] * 7
    assert len(written[0]) == 1
    assert written == written[:1] * 4
    assert lk.check() == []


def _files_of(lk: Lake, structure_id: int) -> set[str]:
    """Paths of the files in which a structure is predicted."""
    files = lk.reader.files("predictions")
    ids = {f.path: lk.reader.columns("predictions", [f], ["structure_id"]) for f in files}
    return {path for path in ids if structure_id in ids[path]["structure_id"].to_pylist()}
