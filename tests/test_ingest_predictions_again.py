"""Predictions made elsewhere: what is there already, in this command, before it and meanwhile."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from lake_samples import append, prediction
from prediction_samples import (
    FRAMES,
    MODEL_ID,
    Frame,
    Write,
    assert_right,
    counts,
    lake_of_frames,
    make_frames,
    predictions,
    reasons,
    register,
    structures,
    text_of,
    write_here,
)

import lake
from ingest.api import ingest
from ingest.predictions.api import ingest_predictions
from lake.errors import ConflictError
from lake.lake import Lake

lk, write = lake_of_frames, write_here


def test_the_same_file_again_adds_nothing(lk: Lake, write: Write) -> None:
    path = write("p.xyz", text_of(FRAMES))
    ingest_predictions(lk, [path], model="m1")
    version = lk.version
    report = ingest_predictions(lk, [path], model="m1")
    assert (report.version, report.sources[0].is_unchanged, lk.version) == (None, True, version)
    assert "left alone" in report.text()
    register(lk, "m2", 8)
    assert counts(ingest_predictions(lk, [path], model="m2")) == (6, 6, 0, 0)


def test_a_file_is_read_again_when_its_structures_have_come(lk: Lake, write: Write) -> None:
    more = make_frames(3, seed=5)
    path = write("p.xyz", text_of([*FRAMES, *more]))
    assert counts(ingest_predictions(lk, [path], model="m1")) == (9, 6, 0, 3)
    again = ingest_predictions(lk, [path], model="m1")
    assert again.sources[0].is_unchanged
    assert not again.is_clean
    ingest(lk, "extxyz", [write("more.xyz", structures(more))], dataset="more")
    assert counts(ingest_predictions(lk, [path], model="m1")) == (9, 3, 6, 0)
    assert_right(lk, more, "more")
    assert ingest_predictions(lk, [path], model="m1").is_clean


def test_a_file_is_read_again_when_its_predictions_were_dropped(lk: Lake, write: Write) -> None:
    path = write("p.xyz", text_of(FRAMES))
    ingest_predictions(lk, [path], model="m1")
    lk.drop(dataset="cu", model="m1")
    assert counts(ingest_predictions(lk, [path], model="m1")) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


def test_same_numbers_are_duplicates_and_others_are_refused(lk: Lake, write: Write) -> None:
    ingest_predictions(lk, [write("p.xyz", text_of(FRAMES))], model="m1")
    off = np.zeros_like(FRAMES[2].predicted_forces)
    off[4, 1] = 2e-4
    other = [FRAMES[0], FRAMES[1].change(predicted_energy=9.0)]
    other.append(FRAMES[2].change(predicted_forces=FRAMES[2].predicted_forces + off))
    report = ingest_predictions(lk, [write("q.xyz", text_of(other))], model="m1")
    assert counts(report) == (3, 0, 1, 2)
    assert "has another prediction of this model, from the lake" in reasons(report)[0]
    assert "9.0 eV here" in reasons(report)[0]
    assert "the energy is the same, forces or stress differ" in reasons(report)[1]
    assert_right(lk, FRAMES)


def rounded(frame: Frame, decimals: int) -> Frame:
    return frame.change(
        predicted_energy=round(frame.predicted_energy, decimals),
        predicted_forces=frame.predicted_forces.round(decimals),
    )


@pytest.mark.parametrize("decimals", [8, 4])
def test_the_same_with_fewer_digits_are_duplicates(lk: Lake, write: Write, decimals: int) -> None:
    ingest_predictions(lk, [write("p.xyz", text_of(FRAMES))], model="m1")
    again = [rounded(frame, decimals) for frame in FRAMES[::-1]]
    report = ingest_predictions(lk, [write("q.xyz", text_of(again))], model="m1")
    assert counts(report) == (6, 0, 6, 0)
    assert_right(lk, FRAMES)


def test_more_digits_and_fewer_in_one_command(lk: Lake, write: Write) -> None:
    paths = [
        write("p.xyz", text_of(FRAMES)),
        write("q.xyz", text_of([rounded(frame, 6) for frame in FRAMES])),
        write("r.xyz", text_of([rounded(FRAMES[0], 2)])),
    ]
    report = ingest_predictions(lk, paths, model="m1")
    assert counts(report) == (13, 6, 6, 1)
    assert f"from {paths[0]}, frame 0 (line 1)" in reasons(report)[0]
    assert_right(lk, FRAMES)


@pytest.mark.parametrize("missing", ["energy", "forces", "stress"])
def test_what_has_more_or_less_than_there_is_stands_against_it(
    lk: Lake, write: Write, missing: str
) -> None:
    stress = [f.change(info='MACE_stress="1 2 3 4 5 6"') for f in FRAMES]
    ingest_predictions(lk, [write("p.xyz", text_of(stress))], model="m1")
    less = {
        "energy": text_of(stress, energy="e"),
        "forces": text_of(stress, forces="f"),
        "stress": text_of(FRAMES),
    }[missing]
    report = ingest_predictions(lk, [write("q.xyz", less)], model="m1")
    assert counts(report) == (6, 0, 0, 6)
    near = [f.change(info='MACE_stress="1 2 3 4 5 6.00005"') for f in FRAMES[:5]]
    far = FRAMES[5].change(info='MACE_stress="1 2 3 4 5 6.0002"')
    report = ingest_predictions(lk, [write("r.xyz", text_of([*near, far]))], model="m1")
    assert counts(report) == (6, 0, 5, 1)


def test_a_file_that_contradicts_itself(lk: Lake, write: Write) -> None:
    frames = [FRAMES[0], FRAMES[0], FRAMES[0].change(predicted_energy=9.0), FRAMES[1]]
    path = write("p.xyz", text_of(frames))
    report = ingest_predictions(lk, [path], model="m1")
    assert counts(report) == (4, 2, 1, 1)
    assert f"{path}, frame 0 (line 1)" in reasons(report)[0]
    assert lk.check() == []


def test_a_failed_prediction_gives_way(lk: Lake, write: Write) -> None:
    ids = [
        row[0] for row in lk.sql("SELECT structure_id FROM structures ORDER BY frame").fetchall()
    ]
    none = {"energy": None, "forces": None, "status": "failed", "error": "out of memory"}
    rows = [prediction(identity, n_atoms=7, model_id=MODEL_ID, **none) for identity in ids[:3]]
    good = FRAMES[3]
    forces = dict(zip("xyz", good.predicted_forces.T.tolist(), strict=True))
    rows.append(
        prediction(ids[3], n_atoms=7, energy=good.predicted_energy, forces=forces, job_id="old")
    )
    append(lk, predictions=rows)
    report = ingest_predictions(lk, [write("p.xyz", text_of(FRAMES[1:5]))], model="m1")
    assert counts(report) == (4, 3, 1, 0)
    assert report.n_retried == 2
    assert "2 took the place of predictions that had failed" in report.text()
    found = [(row[1], row[5]) for row in predictions(lk)]
    assert found == [(0, "failed"), (1, "ok"), (2, "ok"), (3, "ok"), (4, "ok")]
    assert lk.check() == []
    report = ingest_predictions(lk, [write("q.xyz", FRAMES[0].text())], model="m1")
    assert counts(report) == (1, 1, 0, 0)
    ingest_predictions(lk, [write("r.xyz", FRAMES[5].text())], model="m1")
    assert_right(lk, FRAMES)


def ingest_in_child(uri: str, path: str) -> None:
    ingest_predictions(lake.open(uri), [path], model="m1")


def test_two_at_once_store_every_prediction_once(tmp_path: Path, write: Write) -> None:
    frames = make_frames(400)
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, "extxyz", [write("s.xyz", structures(frames))], dataset="cu")
    register(lk)
    paths = [write(f"{i}.xyz", text_of(frames[60 * i : 60 * i + 220])) for i in range(4)]
    context = multiprocessing.get_context("forkserver")
    children = [
        context.Process(target=ingest_in_child, args=(lk.storage.uri, path)) for path in paths
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    assert_right(lk, frames)
    assert lk.sql(
        "SELECT sum(rows), sum(rejects) FROM sources WHERE label_set IS NULL"
    ).fetchall() == [(400, 0)]


def test_structures_dropped_meanwhile_are_an_error(
    lk: Lake, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.predictions.landing import PredictionLanding

    plan = PredictionLanding._plan

    def drop_then_plan(landing: PredictionLanding, state: object) -> object:
        monkeypatch.undo()
        lk.drop(dataset="cu")
        return plan(landing, lk.reader.state)

    monkeypatch.setattr(PredictionLanding, "_plan", drop_then_plan)
    with pytest.raises(ConflictError, match="dropped while their predictions were read"):
        ingest_predictions(lk, [write("p.xyz", text_of(FRAMES))], model="m1")
    assert lk.check() == []


def test_a_drop_between_plan_and_commit_plans_again(
    lk: Lake, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.predictions.landing import PredictionLanding

    ingest(lk, "extxyz", [write("again.xyz", structures(FRAMES))], dataset="again")
    ingest_predictions(lk, [write("o.xyz", text_of(FRAMES[:2]))], model="m1", datasets=["cu"])
    plan = PredictionLanding._plan
    dropped: list[object] = []

    def plan_then_drop(landing: PredictionLanding, state: object) -> object:
        planned = plan(landing, state)  # type: ignore[arg-type]
        if not dropped:
            dropped.append(lk.drop(dataset="cu", model="m1"))
        return planned

    monkeypatch.setattr(PredictionLanding, "_plan", plan_then_drop)
    report = ingest_predictions(lk, [write("p.xyz", text_of(FRAMES))], model="m1", datasets=["cu"])
    assert counts(report) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)
