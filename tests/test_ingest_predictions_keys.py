"""Predictions made elsewhere: which keys hold them, in which units, and what is no prediction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ase import units
from prediction_samples import (
    FRAMES,
    Frame,
    Write,
    assert_right,
    counts,
    lake_of_frames,
    predictions,
    reasons,
    register,
    text_of,
    write_here,
)

import lake
from ingest.api import ingest
from ingest.predictions.api import ingest_predictions
from lake.errors import InvalidInputError
from lake.lake import Lake

lk, write = lake_of_frames, write_here


@pytest.mark.parametrize(
    ("energy", "forces"),
    [
        ("MACE_energy", "MACE_forces"),
        ("pred_energy", "forces_pred"),
        ("energy", "forces"),
        ("NequIP_energy", "nequip_force"),
        ("m1_energy", "m1_forces"),
    ],
)
def test_usual_names_of_predictions(lk: Lake, write: Write, energy: str, forces: str) -> None:
    path = write("p.xyz", text_of(FRAMES, energy=energy, forces=forces))
    report = ingest_predictions(lk, [path], model="m1")
    assert report.keys == {"energy": energy, "forces": forces}
    assert f"energy from {energy}, forces from {forces}" in report.text()
    assert_right(lk, FRAMES)


def test_plain_names_beside_marked_ones_are_references(lk: Lake, write: Write) -> None:
    frames = [f.change(info="energy=1.0 stress='1 2 3 4 5 6'") for f in FRAMES]
    report = ingest_predictions(lk, [write("p.xyz", text_of(frames))], model="m1")
    assert report.keys == {"energy": "MACE_energy", "forces": "MACE_forces"}
    assert_right(lk, FRAMES)


def test_names_of_one_model_go_before_those_of_others(lk: Lake, write: Write) -> None:
    frames = [f.change(info="mace_energy=1.0") for f in FRAMES]
    path = write("p.xyz", text_of(frames, energy="m1_energy", forces="m1_forces"))
    report = ingest_predictions(lk, [path], model="m1")
    assert report.keys == {"energy": "m1_energy", "forces": "m1_forces"}


def test_mapped_keys_and_none(lk: Lake, write: Write) -> None:
    frames = [f.change(info="energy=1.0") for f in FRAMES]
    path = write("p.xyz", text_of(frames, energy="e", forces="f"))
    report = ingest_predictions(lk, [path], model="m1", key_map={"forces": "f"})
    assert report.keys == {"forces": "f"}
    assert [row[2] for row in predictions(lk)] == [None] * 6
    register(lk, "m2", 8)
    report = ingest_predictions(lk, [path], model="m2", key_map={"forces": "f", "energy": "e"})
    assert report.keys == {"energy": "e", "forces": "f"}


def test_two_keys_that_may_be_meant_are_an_error(lk: Lake, write: Write) -> None:
    frames = [f.change(info="pred_energy=1.0") for f in FRAMES]
    with pytest.raises(InvalidInputError, match=r"MACE_energy or pred_energy.*--map energy="):
        ingest_predictions(lk, [write("p.xyz", text_of(frames))], model="m1")
    mixed = FRAMES[0].text() + FRAMES[1].text(energy="energy", forces="forces")
    with pytest.raises(InvalidInputError, match="Frames differ in what is predicted"):
        ingest_predictions(lk, [write("q.xyz", mixed)], model="m1")
    mixed = FRAMES[0].text() + FRAMES[1].text(energy="pred_energy", forces="MACE_forces")
    with pytest.raises(InvalidInputError, match="MACE_energy or pred_energy"):
        ingest_predictions(lk, [write("r.xyz", mixed)], model="m1")
    assert lk.version == 2
    assert not list(Path(lk.storage.uri).glob("predictions/**/*.parquet"))


def test_units_are_converted(lk: Lake, write: Write) -> None:
    factor = units.mol / units.kcal
    path = write("p.xyz", text_of(FRAMES, scale=factor))
    ingest_predictions(lk, [path], model="m1", units=["energy=kcal/mol"])
    rows = predictions(lk)
    for (_, _, energy, forces, _, _), frame in zip(rows, FRAMES, strict=True):
        assert energy == pytest.approx(frame.predicted_energy, rel=1e-14)
        found = np.array([forces[axis] for axis in "xyz"]).T
        np.testing.assert_allclose(found, frame.predicted_forces, rtol=1e-14)
    stored = lk.sql("SELECT source_units FROM sources WHERE format LIKE 'predictions%'")
    assert json.loads(stored.fetchall()[0][0]) == {"energy": "kcal/mol"}


def test_virials_become_stresses(lk: Lake, write: Write) -> None:
    frames = [f.change(info='MACE_virials="1 0 0 0 2 0 0 0 3"') for f in FRAMES]
    ingest_predictions(lk, [write("p.xyz", text_of(frames))], model="m1")
    for (*_, stress, _), frame in zip(predictions(lk), FRAMES, strict=True):
        volume = abs(np.linalg.det(frame.cell))
        np.testing.assert_allclose(
            [stress[i] for i in ("xx", "yy", "zz")], -np.arange(1, 4) / volume
        )


def test_numbers_that_are_none_are_refused(lk: Lake, write: Write) -> None:
    nan = FRAMES[1].predicted_forces.copy()
    nan[4, 1] = np.nan
    frames = [
        FRAMES[0].change(predicted_energy=float("inf")),
        FRAMES[1].change(predicted_forces=nan),
        FRAMES[2],
    ]
    report = ingest_predictions(lk, [write("p.xyz", text_of(frames))], model="m1")
    assert counts(report) == (3, 1, 0, 2)
    assert "inf" in reasons(report)[0]
    assert "atom 4" in reasons(report)[1]
    assert lk.check() == []


def test_frames_without_a_prediction_are_refused(lk: Lake, write: Write) -> None:
    path = write("p.xyz", FRAMES[0].labelled() + FRAMES[1].text())
    report = ingest_predictions(lk, [path], model="m1")
    assert counts(report) == (2, 1, 0, 1)
    assert "holds no prediction" in reasons(report)[0]
    assert "REF_energy, REF_forces" in reasons(report)[0]


PLAIN = {"energy": "energy", "forces": "forces"}


def references(frames: Sequence[Frame], decimals: int = 15) -> str:
    """The labels themselves, under the keys that ASE writes."""
    same = [
        f.change(
            predicted_energy=round(f.energy, decimals), predicted_forces=f.forces.round(decimals)
        )
        for f in frames
    ]
    return text_of(same, **PLAIN)


@pytest.mark.parametrize("decimals", [15, 4])
def test_plain_keys_that_hold_the_labels_are_refused(lk: Lake, write: Write, decimals: int) -> None:
    path = write("p.xyz", references([f.change(info="nn_e=1.0") for f in FRAMES], decimals))
    good = write("q.xyz", text_of(FRAMES, **PLAIN))
    with pytest.raises(InvalidInputError) as caught:
        ingest_predictions(lk, [good, path], model="m1")
    assert str(caught.value) == (
        f"{path}: energy is the reference energy in 6 of 6 structures and forces is the reference "
        "forces in 6 of 6 structures that have one in the lake. Predictions expected. Other keys "
        "are: nn_e. Say which hold the predictions: --map energy=KEY; or, where the model does "
        "give the same numbers: --map energy=energy --map forces=forces. Nothing was committed."
    )
    assert lk.version == 2
    assert not list(Path(lk.storage.uri).glob("predictions/**/*.parquet"))
    report = ingest_predictions(lk, [path], model="m1", key_map=PLAIN)
    assert counts(report) == (6, 6, 0, 0)


def test_a_plain_energy_alone_may_be_the_label(lk: Lake, write: Write) -> None:
    frames = [f.change(predicted_energy=f.energy) for f in FRAMES]
    with pytest.raises(InvalidInputError, match="energy is the reference energy in 6 of 6") as one:
        ingest_predictions(lk, [write("p.xyz", text_of(frames, **PLAIN))], model="m1")
    assert "reference forces" not in str(one.value)


def test_plain_keys_of_a_model_that_hits_some_labels_are_predictions(
    lk: Lake, write: Write
) -> None:
    path = write("p.xyz", references(FRAMES[:3]) + text_of(FRAMES[3:], **PLAIN))
    assert counts(ingest_predictions(lk, [path], model="m1")) == (6, 6, 0, 0)


def test_what_symmetry_decides_tells_nothing(tmp_path: Path, write: Write) -> None:
    lk = lake.create(str(tmp_path / "atoms"))
    atom = "1\nProperties=species:S:1:pos:R:3:{}:R:3 {}=-1.5\nH 0 0 0 0 0 0\n"
    pair = "2\nProperties=species:S:1:pos:R:3:{}:R:3 {}={}\nH 0 0 0 0 0 0\nH 0 0 0.7 0 0 0\n"
    labels = atom.format("REF_forces", "REF_energy") + pair.format("REF_forces", "REF_energy", -2)
    ingest(lk, "extxyz", [write("s.xyz", labels)], dataset="h")
    register(lk)
    predicted = atom.format("forces", "energy") + pair.format("forces", "energy", -2.1)
    report = ingest_predictions(lk, [write("p.xyz", predicted)], model="m1")
    assert counts(report) == (2, 2, 0, 0)
