"""Jobs from end to end: a worker process, the lake, and models that misbehave."""

from __future__ import annotations

import numpy as np
import pytest
from ase.calculators.emt import EMT
from compute_samples import N_METALS, add_misbehaving, lake_of_metals, request, rows

from compute import Shard, coverage, run
from lake.lake import Lake

lk = lake_of_metals
pytestmark = pytest.mark.usefixtures("registry")


def test_numbers_are_those_of_the_calculator(lk: Lake) -> None:
    report = run(lk, request())
    assert (report.total("ok"), report.total("failed"), report.n_left) == (N_METALS, 0, 0)
    assert report.version == lk.version
    found = rows(lk)
    assert len(found) == N_METALS
    for row in found:
        atoms = lk.atoms(row["structure_id"])
        atoms.calc = EMT()
        assert row["energy"] == pytest.approx(atoms.get_potential_energy(), rel=1e-12)
        forces = np.stack([row["forces"][axis] for axis in "xyz"], axis=1)
        np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-12)
        if atoms.pbc.any():
            np.testing.assert_allclose(list(row["stress"].values()), atoms.get_stress(), atol=1e-12)
        else:
            assert row["stress"] is None
    assert lk.check() == []


def test_nothing_is_computed_twice(lk: Lake) -> None:
    run(lk, request())
    version = lk.version
    again = run(lk, request())
    assert again.n_missing == 0
    assert again.text() == "Nothing is missing."
    assert lk.version == version


def test_a_condition_chooses_and_the_rest_comes_later(lk: Lake) -> None:
    first = run(lk, request(where="n_atoms = 1"))
    assert first.total("ok") == N_METALS // 4
    assert run(lk, request()).total("ok") == N_METALS - N_METALS // 4
    assert len(rows(lk)) == N_METALS


def test_a_condition_that_fits_nothing_is_said(lk: Lake) -> None:
    assert "No structure is chosen" in run(lk, request(where="n_atoms = 99")).text()


def test_shards_make_a_whole(lk: Lake) -> None:
    done = [run(lk, request(shard=Shard(k, 3))).total("ok") for k in (1, 2, 3)]
    assert sum(done) == N_METALS
    assert all(done)
    assert len({row["structure_id"] for row in rows(lk)}) == N_METALS


def test_two_models_of_a_pattern_in_one_go(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.0)
    report = run(lk, request("*"))
    assert report.total("ok") == 2 * N_METALS
    for first, second in zip(rows(lk), rows(lk, "slow"), strict=True):
        assert first["energy"] == second["energy"]
    status = coverage(lk.reader)
    assert status.select("model", "done", "failed", "missing").rows() == [
        ("emt", N_METALS, 0, 0),
        ("slow", N_METALS, 0, 0),
    ]


def test_a_failing_calculator_leaves_reasons_and_goes_on(lk: Lake) -> None:
    add_misbehaving(lk, "touchy")
    report = run(lk, request("touchy"))
    assert (report.total("ok"), report.total("failed")) == (N_METALS - N_METALS // 4, N_METALS // 4)
    failed = [row for row in rows(lk, "touchy") if row["status"] == "failed"]
    assert len(failed) == N_METALS // 4
    for row in failed:
        assert "no convergence in 100 steps" in row["error"]
        assert row["n_atoms"] == 3
        assert row["energy"] is None
    nothing = run(lk, request("touchy"))
    assert nothing.n_missing == 0
    assert f"but {N_METALS // 4} results that failed earlier" in nothing.text()
    again = run(lk, request("touchy", only_failed=True))
    assert again.n_missing == again.total("failed") == N_METALS // 4
    assert len(rows(lk, "touchy")) == N_METALS
    assert lk.check() == []


def test_a_reason_that_is_no_text_is_written_as_far_as_it_goes(lk: Lake) -> None:
    add_misbehaving(lk, "garbled")
    report = run(lk, request("garbled", where="n_atoms = 3"))
    assert report.total("failed") == N_METALS // 4
    assert "read \\udcff from its output" in rows(lk, "garbled")[0]["error"]


def test_what_is_no_number_is_a_reason(lk: Lake) -> None:
    add_misbehaving(lk, "wrong")
    run(lk, request("wrong"))
    for row in rows(lk, "wrong"):
        if row["n_atoms"] == 1:
            assert row["status"] == "failed"
            assert row["error"] == "the model gave NaN or infinity in forces"
            assert row["forces"] is None
        else:
            assert row["status"] == "ok"


def test_a_calculator_that_has_only_energies(lk: Lake) -> None:
    add_misbehaving(lk, "energetic")
    run(lk, request("energetic"))
    for row in rows(lk, "energetic"):
        assert row["status"] == "ok"
        assert row["energy"] == row["n_atoms"]
        assert row["forces"] is None
        assert row["stress"] is None
    assert lk.check() == []


def test_a_calculator_without_stress_for_some(lk: Lake) -> None:
    add_misbehaving(lk, "choosy")
    run(lk, request("choosy"))
    periodic = {
        atoms_id
        for atoms_id, pbc in lk.sql("SELECT structure_id, pbc[1] FROM structures").fetchall()
        if pbc
    }
    for row in rows(lk, "choosy"):
        assert row["status"] == "ok"
        assert (row["stress"] is None) == (
            row["structure_id"] not in periodic or row["n_atoms"] == 8
        )
