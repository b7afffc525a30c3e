"""Predictions made elsewhere: whose they are, told by their geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import units
from ase.io import read
from ase.io import write as ase_write
from extxyz_samples import data_path
from prediction_samples import (
    FRAMES,
    MODEL_ID,
    Write,
    assert_right,
    counts,
    lake_of_frames,
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
from lake.lake import Lake

lk, write = lake_of_frames, write_here


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


def test_lengths_in_bohr_find_their_structures(lk: Lake, write: Write) -> None:
    frames = [
        f.change(positions=f.positions / units.Bohr, cell=f.cell / units.Bohr) for f in FRAMES
    ]
    path = write("p.xyz", text_of(frames, decimals=8))
    report = ingest_predictions(lk, [path], model="m1", units=["length=Bohr", "forces=eV/Å"])
    assert counts(report) == (6, 6, 0, 0)
    assert_right(lk, FRAMES)


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
