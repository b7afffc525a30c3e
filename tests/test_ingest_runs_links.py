"""Models and the training runs they came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from wandb_samples import history, log, run

import lake
from compute.models.catalogue import find_model
from compute.models.changes import edit_model
from compute.models.registration import add_model
from ingest.runs.api import ingest_runs
from lake.cli import root
from lake.errors import InvalidInputError
from lake.lake import Lake

EMT = "ase.calculators.emt:EMT"
LJ = "ase.calculators.lj:LennardJones"


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """Runs a and b of p are called same, c of p is called mse-s1, and a of q is called other."""
    lk = lake.create(str(tmp_path / "lake"))
    for run_id, name, project in (
        ("a", "same", "p"), ("b", "same", "p"), ("c", "mse-s1", "p"), ("a", "other", "q"),
    ):  # fmt: skip
        file = tmp_path / f"{project}-{run_id}.wandb"
        file.write_bytes(log([run(run_id, name, project), history(0, {"k": 1.0})]))
        ingest_runs(lk, "wandb", [str(file)], strict=True)
    return lk


def links(lk: Lake) -> list[tuple[object, ...]]:
    return lk.sql(
        "SELECT model, project, run_id, run_name, linked_by, n_runs FROM model_runs ORDER BY ALL"
    ).fetchall()


def test_a_model_is_linked_to_a_run_by_identity_or_name(lk: Lake) -> None:
    model = add_model(lk, "emt", engine="ase", path=EMT, run="mse-s1")
    assert (model.run_project, model.run_id) == ("p", "c")
    assert links(lk) == [("emt", "p", "c", "mse-s1", "run_id", 1)]
    for text, place in (("p/b", ("p", "b")), ("other", ("q", "a")), ("q/a", ("q", "a"))):
        changed = edit_model(lk, "emt", {"run_id": text})
        assert (changed.run_project, changed.run_id) == place
    assert find_model(lk.reader, "emt").run_project == "q"
    edit_model(lk, "emt", {"run_id": None})
    assert find_model(lk.reader, "emt").run_project is None
    assert links(lk) == []
    assert lk.check() == []


def test_a_run_that_is_not_clear_is_an_error_that_lists_them(lk: Lake) -> None:
    with pytest.raises(InvalidInputError, match=r"p/a \(same\), p/b \(same\)"):
        add_model(lk, "emt", engine="ase", path=EMT, run="same")
    with pytest.raises(InvalidInputError, match=r"p/a \(same\), q/a \(other\)"):
        add_model(lk, "emt", engine="ase", path=EMT, run="a")
    add_model(lk, "emt", engine="ase", path=EMT)
    done = CliRunner().invoke(
        root, ["--lake", lk.storage.uri, "model", "edit", "emt", "--run", "a"]
    )
    assert (done.exit_code, "may be 2 runs" in done.output) == (2, True)
    assert links(lk) == []


def test_a_model_called_like_one_run_came_from_it(lk: Lake) -> None:
    add_model(lk, "mse-s1", engine="ase", path=EMT)
    add_model(lk, "same", engine="ase", path=LJ)
    assert links(lk) == [
        ("mse-s1", "p", "c", "mse-s1", "name", 1),
        ("same", "p", "a", "same", "name", 2),
        ("same", "p", "b", "same", "name", 2),
    ]


def test_a_model_may_be_registered_before_its_run_is_read(lk: Lake, tmp_path: Path) -> None:
    model = add_model(lk, "emt", engine="ase", path=EMT, run="later")
    assert (model.run_project, model.run_id) == (None, "later")
    assert links(lk) == []
    file = tmp_path / "later.wandb"
    file.write_bytes(log([run("later", "x", "p"), history(0, {"k": 1.0})]))
    ingest_runs(lk, "wandb", [str(file)])
    assert links(lk) == [("emt", "p", "later", "x", "run_id", 1)]
    assert add_model(lk, "emt", engine="ase", path=EMT, run="later").run_id == "later"
