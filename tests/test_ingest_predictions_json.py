"""The JSON caches of earlier scripts: reading them, and whose predictions they hold."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest
from ase import units
from click.testing import CliRunner
from hypothesis import strategies as st
from lake_samples import append
from prediction_samples import (
    FRAMES,
    Write,
    assert_right,
    cache,
    counts,
    lake_of_frames,
    make_frames,
    predictions,
    reasons,
    structures,
    write_here,
)

from ingest.api import ingest
from ingest.predictions.api import ingest_predictions
from lake.cli import root
from lake.errors import InvalidInputError
from lake.lake import Lake

lk, write = lake_of_frames, write_here
NO_LABELS = "has these reference values as its labels"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_predictions_are_matched_by_reference_values(lk: Lake, write: Write) -> None:
    path = write("cache.json", cache(FRAMES[::-1]))
    report = ingest_predictions(lk, [path], model="m1")
    assert (counts(report), report.keys) == ((6, 6, 0, 0), {})
    assert_right(lk, FRAMES)
    stresses = {tuple(row[4].values()) for row in predictions(lk)}
    assert stresses == {(0.1, 0.2, 0.3, 0.04, 0.05, 0.06)}
    stored = lk.sql("SELECT format, options FROM sources WHERE label_set IS NULL").fetchall()
    assert stored[0][0] == "predictions json"
    assert ingest_predictions(lk, [path], model="m1").sources[0].is_unchanged


def test_compressed_and_one_item_a_line(lk: Lake, write: Write) -> None:
    text = json.dumps([frame.cached() for frame in FRAMES], indent=1)
    path = write("cache.json.gz", gzip.compress(text.encode()))
    assert counts(ingest_predictions(lk, [path], model="m1", workers=2)) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


@pytest.mark.parametrize("round_to", ["4 decimals", "single precision"])
def test_reference_values_may_be_rounded(lk: Lake, write: Write, round_to: str) -> None:
    def rounded(values: Any) -> Any:
        if round_to == "4 decimals":
            return np.round(values, 4).tolist()
        return np.asarray(values, np.float32).astype(float).tolist()

    frames = [
        f.cached(reference={"energy": rounded(f.energy), "forces": rounded(f.forces)})
        for f in FRAMES
    ]
    report = ingest_predictions(lk, [write("c.json", json.dumps(frames))], model="m1")
    assert counts(report) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"reference": {"energy": -1.0, "forces": FRAMES[0].forces.tolist()}},
            NO_LABELS,
        ),
        (
            {"reference": {"forces": (FRAMES[0].forces + 2e-4).tolist()}},
            NO_LABELS,
        ),
        ({"reference": {"forces": FRAMES[0].forces[::-1].tolist()}}, NO_LABELS),
        ({"reference": {"energy": FRAMES[0].energy}}, "no reference forces"),
        ({"reference": None}, "reference is null"),
        ({"prediction": None}, "prediction is null"),
        ({"prediction": {"energy": None, "forces": None}}, "holds no prediction"),
        ({"prediction": {"energy": [1.0]}}, "prediction.energy is [1.0]"),
        ({"prediction": {"energy": True}}, "prediction.energy is true"),
        ({"prediction": {"energy": float("nan")}}, "finite number expected"),
        ({"prediction": {"energy": 10**400}}, "finite number expected"),
        ({"prediction": {"forces": [[1.0, 2.0, 3.0]] * 6}}, "6 rows in prediction.forces for 7"),
        ({"prediction": {"forces": [[1.0, 2.0]] * 7}}, "three numbers for every atom"),
        ({"prediction": {"forces": [[1.0, 2.0, "3"]] * 7}}, "three numbers for every atom"),
        ({"prediction": {"forces": [[1.0, 2.0, None]] * 7}}, "three numbers for every atom"),
        ({"prediction": {"forces": [[1.0, 2.0, float("inf")]] * 7}}, "atom 0 has [1.0, 2.0, inf]"),
        ({"prediction": {"energy": 1.0, "stress": [1.0] * 5}}, "has 5 numbers; 6"),
        ({"prediction": {"energy": 1.0, "stress": [[1, 2, 3], [0, 2, 3], [0, 0, 1]]}}, "symmetric"),
        ({"formula": "Cu5Ni3"}, "the formula Cu5Ni3 has 8 atoms, n_atoms is 7"),
        ({"formula": None, "n_atoms": 8}, "7 rows in reference.forces for 8 atoms"),
        ({"formula": "Cu5Ni2", "n_atoms": 10**30}, "n_atoms is 1e+30"),
        ({"formula": "Xx7"}, 'formula is "Xx7"'),
        ({"formula": "Cu7"}, "no structure with the formula Cu7"),
        ({"n_atoms": "7"}, 'n_atoms is "7"'),
    ],
)
def test_frames_that_are_refused(
    lk: Lake, write: Write, change: dict[str, Any], words: str
) -> None:
    frames = [FRAMES[0].cached(**change), FRAMES[1].cached()]
    report = ingest_predictions(lk, [write("c.json", json.dumps(frames))], model="m1")
    assert counts(report) == (2, 1, 0, 1)
    assert words in reasons(report)[0]
    assert [row[1] for row in predictions(lk)] == [1]
    assert lk.check() == []


def test_what_may_be_missing(lk: Lake, write: Write) -> None:
    nine = [1.0, 0.6, 0.5, 0.6, 2.0, 0.4, 0.5, 0.4, 3.0]
    frames = [
        {"reference": {"forces": FRAMES[0].forces.tolist()}, "prediction": {"energy": 1}},
        FRAMES[1].cached(formula="Ni2Cu5", n_atoms=None, structure_idx=10**40),
        FRAMES[2].cached(prediction={"energy": 2.0, "stress": nine}),
        FRAMES[3].cached(prediction={"stress": np.reshape(nine, (3, 3)).tolist()}),
    ]
    report = ingest_predictions(lk, [write("c.json", json.dumps(frames))], model="m1")
    assert counts(report) == (4, 4, 0, 0)
    rows = predictions(lk)
    assert [row[2] for row in rows] == [1.0, FRAMES[1].predicted_energy, 2.0, None]
    assert [row[3] is None for row in rows] == [True, False, True, True]
    assert [row[4] and list(row[4].values()) for row in rows[2:]] == [[1, 2, 3, 0.4, 0.5, 0.6]] * 2
    assert lk.check() == []


def test_labels_of_several_datasets_and_label_sets(lk: Lake, write: Write) -> None:
    path = write("same.xyz", structures(FRAMES))
    ingest(lk, "extxyz", [path], dataset="other")
    shifted = [f.change(energy=f.energy + 1.0) for f in FRAMES]
    where = {"dataset": "cu", "label_set": "shifted"}
    ingest(lk, "extxyz", [write("shifted.xyz", structures(shifted))], **where)
    report = ingest_predictions(lk, [write("c.json", cache(shifted))], model="m1")
    assert (counts(report), report.added) == ((6, 6, 0, 0), {"cu": 6, "other": 6})
    assert_right(lk, FRAMES)
    assert_right(lk, FRAMES, "other")


def test_two_structures_with_the_same_labels_are_refused(lk: Lake, write: Write) -> None:
    moved = [f.change(positions=f.positions + 0.5) for f in FRAMES[:1]]
    ingest(lk, "extxyz", [write("moved.xyz", structures(moved))], dataset="moved")
    path = write("c.json", cache(FRAMES))
    report = ingest_predictions(lk, [path], model="m1")
    assert counts(report) == (6, 5, 0, 1)
    assert "fits 2 structures as well" in reasons(report)[0]
    assert counts(ingest_predictions(lk, [path], model="m1", datasets=["cu"])) == (6, 1, 5, 0)
    assert_right(lk, FRAMES)


def test_forces_that_are_all_zero_tell_nothing_without_an_energy(lk: Lake, write: Write) -> None:
    zero = FRAMES[0].change(forces=np.zeros((7, 3)), positions=FRAMES[0].positions + 1)
    ingest(lk, "extxyz", [write("zero.xyz", structures([zero]))], dataset="zero")
    bare = zero.cached(reference={"forces": zero.forces.tolist()})
    text = json.dumps([bare, zero.cached()])
    report = ingest_predictions(lk, [write("c.json", text)], model="m1")
    assert counts(report) == (2, 1, 0, 1)


def test_units_hold_for_reference_and_prediction(lk: Lake, write: Write) -> None:
    factor = units.mol / units.kcal
    frames = []
    for frame in FRAMES:
        item = frame.cached()
        for section in ("reference", "prediction"):
            item[section]["energy"] *= factor
            item[section]["forces"] = (np.array(item[section]["forces"]) * factor).tolist()
        frames.append(item)
    path = write("c.json", json.dumps(frames))
    report = ingest_predictions(lk, [path], model="m1", units=["energy=kcal/mol", "stress=eV/Å^3"])
    assert counts(report) == (6, 6, 0, 0)
    energies = [row[2] for row in predictions(lk)]
    assert energies == pytest.approx([f.predicted_energy for f in FRAMES], rel=1e-14)
    assert predictions(lk)[0][4]["xx"] == 0.1


def test_a_truncated_file_gives_what_is_whole(lk: Lake, write: Write) -> None:
    text = cache(FRAMES)
    report = ingest_predictions(lk, [write("c.json", text[: int(len(text) * 0.4)])], model="m1")
    assert counts(report) == (3, 2, 0, 1)
    assert [reject.frame for _, reject in report.rejects] == [2]
    assert "the file ends within this frame" in reasons(report)[0]
    assert lk.check() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("  \n", "blank lines alone"),
        ("[]", "the list is empty"),
        ('{"frames": []}', 'the file begins with \'{"frames"'),
        ("hello", "the file begins with 'hello'"),
        ('[{"a": 1}] [', "after the list comes '['"),
        ("[1, 2]", "is no object but 1"),
        ('[{"energy": 1.0}]', "reference is missing"),
        ('[{"a"}]', "is no JSON"),
        ("[{]", "the file ends within this frame"),
        ("[" * 100_000, "the file ends within this frame"),
        ("[" + "[" * 5000 + "]" * 5000 + "]", "is no JSON"),
    ],
)
def test_files_of_another_shape(lk: Lake, write: Write, text: str, words: str) -> None:
    report = ingest_predictions(lk, [write("c.json", text)], model="m1")
    assert report.total("rows") == 0
    assert any(words in reason for reason in reasons(report))
    assert lk.check() == []


def test_strict_and_wrong_options(lk: Lake, write: Write) -> None:
    path = write("c.json", cache([*FRAMES, *make_frames(1, seed=4)]))
    report = ingest_predictions(lk, [path], model="m1", strict=True)
    assert (report.version, counts(report)) == (None, (7, 6, 0, 1))
    with pytest.raises(InvalidInputError, match="--map is for extended XYZ"):
        ingest_predictions(lk, [path], model="m1", key_map={"forces": "F"})
    both = [path, write("p.xyz", FRAMES[0].text())]
    with pytest.raises(InvalidInputError, match="One format at a time"):
        ingest_predictions(lk, both, model="m1")
    assert lk.version == 2


def test_a_failed_row_gives_way_and_the_command_says_so(lk: Lake, write: Write) -> None:
    identity = lk.sql("SELECT structure_id FROM structures WHERE frame = 0").fetchall()[0][0]
    failed = {"structure_id": identity, "n_atoms": 7, "status": "failed", "error": "no memory"}
    append(lk, predictions=[{"dataset": "cu", "model": "m1", "model_id": 7, **failed}])
    path = write("c.json", cache(FRAMES))
    words = ["ingest", "predictions", path, "--model", "m1", "--lake", lk.storage.uri]
    result = CliRunner().invoke(root, words, env={"ATOMLAKE": None})
    assert result.exit_code == 0, result.output
    assert "1 took the place of predictions that had failed." in result.output
    assert_right(lk, FRAMES)
