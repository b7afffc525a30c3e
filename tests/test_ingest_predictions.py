"""Predictions made elsewhere: whose they are, what is refused, and that the accounts close."""

from __future__ import annotations

import gzip
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from ase import units
from ase.io import read
from ase.io import write as ase_write
from click.testing import CliRunner
from extxyz_samples import data_path
from lake_samples import append, prediction
from prediction_samples import (
    MODEL_ID,
    Frame,
    Write,
    assert_right,
    make_frames,
    predictions,
    register,
    structures,
    writer,
)

import lake
from ingest.api import ingest
from ingest.predictions.api import ingest_predictions
from ingest.predictions.report import PredictionReport
from lake.cli import root
from lake.errors import ConflictError, InvalidInputError, NotFoundError
from lake.lake import Lake

FRAMES = make_frames()
NO_ELEMENT = "1\nProperties=species:S:1:pos:R:3\nXx 0.0 0.0 0.0\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


@pytest.fixture
def lk(tmp_path: Path, write: Write) -> Lake:
    """A lake with the frames in one dataset, and a model."""
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, "extxyz", [write("structures.xyz", structures(FRAMES))], dataset="cu")
    register(lk)
    return lk


def text_of(frames: list[Frame], **how: object) -> str:
    return "".join(frame.text(**how) for frame in frames)  # type: ignore[arg-type]


def counts(report: PredictionReport) -> tuple[int, int, int, int]:
    names = ("frames_read", "rows", "duplicates", "rejects")
    read, rows, duplicates, rejects = (report.total(name) for name in names)
    assert read == rows + duplicates + rejects
    return read, rows, duplicates, rejects


def reasons(report: PredictionReport) -> list[str]:
    return [reject.reason for _, reject in report.rejects]


@pytest.mark.parametrize("decimals", [None, 8, 6, 4])
def test_predictions_find_their_structures_whatever_the_order(
    lk: Lake, write: Write, decimals: int | None
) -> None:
    path = write("p.xyz", text_of(FRAMES[::-1], decimals=decimals))
    report = ingest_predictions(lk, [path], model="m1")
    assert counts(report) == (6, 6, 0, 0)
    assert report.keys == {"energy": "MACE_energy", "forces": "MACE_forces"}
    assert_right(lk, FRAMES)
    [(job, model_id)] = lk.sql("SELECT DISTINCT job_id, model_id FROM predictions").fetchall()
    operation = lk.sql("SELECT operation_id FROM commits ORDER BY version DESC LIMIT 1")
    assert (job, model_id) == (operation.fetchall()[0][0], MODEL_ID)


def test_positions_with_three_decimals_fit_nothing(lk: Lake, write: Write) -> None:
    report = ingest_predictions(lk, [write("p.xyz", text_of(FRAMES, decimals=3))], model="m1")
    assert counts(report) == (6, 0, 0, 6)
    assert "none of the 6 structures with the formula Cu5Ni2" in reasons(report)[0]
    assert lk.sql("SELECT frame, line FROM rejects ORDER BY frame").fetchall()[:2] == [
        (0, 1),
        (1, 10),
    ]
    assert lk.check() == []


def test_compressed_files_and_standard_formats(lk: Lake, write: Write) -> None:
    path = write("p.xyz.gz", gzip.compress(text_of(FRAMES).encode()))
    assert counts(ingest_predictions(lk, [path], model="m1", workers=2)) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


def test_atoms_put_back_into_the_cell_are_the_same_structure(lk: Lake, write: Write) -> None:
    rng = np.random.default_rng(1)
    moved = [
        f.change(positions=f.positions + rng.integers(-2, 3, f.positions.shape) @ f.cell)
        for f in FRAMES
    ]
    report = ingest_predictions(lk, [write("p.xyz", text_of(moved, decimals=8))], model="m1")
    assert counts(report) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


def test_atoms_moved_by_a_vector_that_is_not_periodic_are_another_structure(
    tmp_path: Path, write: Write
) -> None:
    lk = lake.create(str(tmp_path / "slabs"))
    slabs = [frame.change(pbc="T T F") for frame in FRAMES]
    ingest(lk, "extxyz", [write("slabs.xyz", structures(slabs))], dataset="cu")
    register(lk)
    along = [s.change(positions=s.positions + s.cell[1]) for s in slabs]
    across = [s.change(positions=s.positions + s.cell[2]) for s in slabs]
    report = ingest_predictions(lk, [write("across.xyz", text_of(across))], model="m1")
    assert counts(report) == (6, 0, 0, 6)
    report = ingest_predictions(lk, [write("along.xyz", text_of(along))], model="m1")
    assert counts(report) == (6, 6, 0, 0)
    assert_right(lk, slabs)


@pytest.mark.parametrize("what", ["order", "pbc", "cell", "element"])
def test_what_differs_in_more_than_digits_is_refused(lk: Lake, write: Write, what: str) -> None:
    frame = FRAMES[2]
    other = {
        "order": frame.change(
            positions=frame.positions[::-1], predicted_forces=frame.predicted_forces[::-1]
        ),
        "pbc": frame.change(pbc="T T F"),
        "cell": frame.change(cell=frame.cell + 2e-4),
        "element": frame.change(symbols=["Ni", *frame.symbols[1:-1], "Cu"]),
    }[what]
    report = ingest_predictions(lk, [write("p.xyz", other.text())], model="m1")
    assert counts(report) == (1, 0, 0, 1)
    assert "elements in this order" in reasons(report)[0]
    assert lk.check() == []


def test_small_and_lone_structures(tmp_path: Path, write: Write) -> None:
    lk = lake.create(str(tmp_path / "small"))
    atom = "1\nProperties=species:S:1:pos:R:3 {}\nH 0.123456789 0 0\n"
    pair = "2\nProperties=species:S:1:pos:R:3 {}\nH 0 0 0\nH 0 0 0.{}\n"
    known = atom.format("") + pair.format("", 7) + pair.format("", 8)
    ingest(lk, "extxyz", [write("s.xyz", known)], dataset="h")
    register(lk)
    asked = (
        atom.format("pred_energy=1.0").replace("0.123456789", "0.123457")
        + pair.format("pred_energy=2.0", "80001")
        + pair.format("pred_energy=3.0", "75")
    )
    report = ingest_predictions(lk, [write("p.xyz", asked)], model="m1")
    assert counts(report) == (3, 2, 0, 1)
    assert [row[1:3] for row in predictions(lk)] == [(0, 1.0), (2, 2.0)]
    assert lk.check() == []


def test_two_structures_as_near_as_each_other_are_refused(lk: Lake, write: Write) -> None:
    shift = np.zeros_like(FRAMES[0].positions)
    shift[3, 0] = 5e-5
    twins = [FRAMES[0].change(positions=FRAMES[0].positions + sign * shift) for sign in (1, -1)]
    ingest(lk, "extxyz", [write("twins.xyz", structures(twins))], dataset="twins")
    path = write("p.xyz", FRAMES[0].text(decimals=8))
    report = ingest_predictions(lk, [path], model="m1", datasets=["twins"])
    assert counts(report) == (1, 0, 0, 1)
    assert "fits 2 structures as well: twins, structure" in reasons(report)[0]
    # Far nearer than the twins is the frame they were made of.
    assert counts(ingest_predictions(lk, [path], model="m1")) == (1, 1, 0, 0)
    assert [row[0] for row in predictions(lk)] == ["cu"]
    assert lk.check() == []


def test_every_dataset_that_holds_the_geometry_gets_the_row(lk: Lake, write: Write) -> None:
    ingest(lk, "extxyz", [write("half.xyz", structures(FRAMES[:3]))], dataset="half")
    ingest_predictions(lk, [write("one.xyz", FRAMES[1].text())], model="m1", datasets=["half"])
    report = ingest_predictions(lk, [write("p.xyz", text_of(FRAMES) + NO_ELEMENT)], model="m1")
    assert counts(report) == (7, 6, 0, 1)
    assert dict(report.added) == {"cu": 6, "half": 2}
    assert_right(lk, FRAMES)
    assert_right(lk, FRAMES[:3], "half")
    accounts = lk.sql(
        "SELECT dataset, frames_read, rows, duplicates, rejects FROM sources "
        "WHERE format = 'predictions extxyz' ORDER BY dataset, frames_read"
    ).fetchall()
    assert accounts == [("cu", 7, 6, 0, 1), ("half", 1, 1, 0, 0), ("half", 3, 2, 1, 0)]


def test_structures_that_differ_in_their_info_share_a_geometry(lk: Lake, write: Write) -> None:
    kinds = [FRAMES[0].change(info=f"charge={charge}") for charge in (0, 1)]
    ingest(lk, "extxyz", [write("charged.xyz", structures(kinds))], dataset="charged")
    ions = [
        kinds[0].change(predicted_energy=1.0),
        kinds[1].change(predicted_energy=2.0),
    ]
    where = {"model": "m1", "datasets": ["charged"]}
    report = ingest_predictions(lk, [write("ions.xyz", text_of(ions))], **where)
    assert counts(report) == (2, 2, 0, 0)
    assert [row[1:3] for row in predictions(lk)] == [(0, 1.0), (1, 2.0)]
    lk.drop(dataset="charged", model="m1")
    report = ingest_predictions(lk, [write("bare.xyz", FRAMES[0].text())], **where)
    assert (counts(report), report.added) == ((1, 1, 0, 0), {"charged": 2})
    assert lk.check() == []


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


def test_a_file_is_read_again_when_its_predictions_were_dropped(lk: Lake, write: Write) -> None:
    path = write("p.xyz", text_of(FRAMES))
    ingest_predictions(lk, [path], model="m1")
    lk.drop(dataset="cu", model="m1")
    assert counts(ingest_predictions(lk, [path], model="m1")) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


def test_same_numbers_are_duplicates_and_others_are_refused(lk: Lake, write: Write) -> None:
    ingest_predictions(lk, [write("p.xyz", text_of(FRAMES))], model="m1")
    other = [FRAMES[0], FRAMES[1].change(predicted_energy=9.0)]
    other.append(FRAMES[2].change(predicted_forces=FRAMES[2].predicted_forces + 1e-9))
    report = ingest_predictions(lk, [write("q.xyz", text_of(other))], model="m1")
    assert counts(report) == (3, 0, 1, 2)
    assert "has another prediction of this model, from the lake" in reasons(report)[0]
    assert "9.0 eV here" in reasons(report)[0]
    assert "the energy is the same, forces or stress differ" in reasons(report)[1]
    assert_right(lk, FRAMES)


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


def test_lengths_in_bohr_find_their_structures(lk: Lake, write: Write) -> None:
    frames = [
        f.change(positions=f.positions / units.Bohr, cell=f.cell / units.Bohr) for f in FRAMES
    ]
    path = write("p.xyz", text_of(frames, decimals=8))
    report = ingest_predictions(lk, [path], model="m1", units=["length=Bohr", "forces=eV/Å"])
    assert counts(report) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


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


def test_strict_commits_nothing(lk: Lake, write: Write) -> None:
    path = write("p.xyz", text_of([*FRAMES, *make_frames(1, seed=9)]))
    report = ingest_predictions(lk, [path], model="m1", strict=True)
    assert (report.version, lk.version, counts(report)) == (None, 2, (7, 6, 0, 1))
    assert "--strict" in report.text()
    assert not list(Path(lk.storage.uri).glob("predictions/**/*.parquet"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "m2"}, "Did you mean m1"),
        ({"model": "m1", "datasets": ["cuu"]}, "Did you mean cu?"),
        ({"model": "m1", "key_map": {"forces": "MACE_force"}}, "Did you mean MACE_forces"),
        ({"model": "m1", "key_map": {"config_type": "x"}}, "predictions have none"),
        ({"model": "m1", "key_map": {"spin": "x"}}, "No label is called 'spin'"),
        ({"model": "m1", "units": ["energy=GPa"]}, "no unit of energy"),
        ({"model": "m1", "file_format": "csv"}, "No format of predictions"),
    ],
)
def test_wrong_options(lk: Lake, write: Write, options: dict[str, object], words: str) -> None:
    path = write("p.xyz", text_of(FRAMES))
    with pytest.raises((InvalidInputError, NotFoundError)) as caught:
        ingest_predictions(lk, [path], **options)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert lk.version == 2


def test_a_lake_without_structures(tmp_path: Path, write: Write) -> None:
    lk = lake.create(str(tmp_path / "empty"))
    register(lk)
    with pytest.raises(InvalidInputError, match="holds no structures"):
        ingest_predictions(lk, [write("p.xyz", text_of(FRAMES))], model="m1")


def test_an_empty_file_is_a_reject(lk: Lake, write: Write) -> None:
    report = ingest_predictions(
        lk, [write("e.xyz", ""), write("p.xyz", text_of(FRAMES))], model="m1"
    )
    assert counts(report) == (7, 6, 0, 1)
    assert "is empty" in reasons(report)[0]
    assert lk.check() == []


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


def test_the_command_line(lk: Lake, write: Write) -> None:
    path = write("p.xyz", text_of(FRAMES, energy="e", forces="f"))
    words = ["ingest", "predictions", path, "--model", "m1", "--dataset", "cu"]
    words += ["--map", "energy=e", "--map", "forces=f", "--lake", lk.storage.uri]
    result = CliRunner().invoke(root, words, env={"ATOMLAKE": None})
    assert result.exit_code == 0
    assert result.output == (
        "6 frames read: 6 new, 0 duplicates, 0 rejected. Predictions of m1 added: 6 in cu. "
        "Committed as version 3.\nTaken: energy from e, forces from f.\n"
    )
    bad = write("q.xyz", make_frames(1, seed=3)[0].text())
    words = ["ingest", "predictions", bad, "--model", "m1", "--lake", lk.storage.uri, "--json"]
    result = CliRunner().invoke(root, words, env={"ATOMLAKE": None})
    assert result.exit_code == 1
    answer = json.loads(result.output)
    assert (answer["rejects"], answer["rejected"][0]["frame"]) == (1, 0)
    unknown = ["ingest", "predictions", bad, "--model", "mx", "--lake", lk.storage.uri]
    result = CliRunner().invoke(root, unknown, env={"ATOMLAKE": None})
    assert result.exit_code == 2
    assert "Did you mean m1" in result.output


@pytest.mark.parametrize("decimals", [8, 4])
def test_real_trajectories_that_ase_wrote_again(
    tmp_path: Path, write: Write, decimals: int
) -> None:
    source = data_path("acac", "test_MD_300K.xyz")
    lk = lake.create(str(tmp_path / "acac"))
    ingest(lk, "extxyz", [str(source)], dataset="acac")
    register(lk)
    frames = read(source, ":")
    for number, atoms in enumerate(frames):
        atoms.calc = None
        atoms.positions = atoms.positions.round(decimals)
        atoms.info = {"MACE_energy": float(number)}
        atoms.arrays = {name: atoms.arrays[name] for name in ("numbers", "positions")}
    ase_write(tmp_path / "p.xyz", frames[::-1])
    report = ingest_predictions(lk, [str(tmp_path / "p.xyz")], model="m1")
    assert counts(report) == (len(frames), len(frames), 0, 0)
    assert [row[2] for row in predictions(lk)] == [float(row[1]) for row in predictions(lk)]
