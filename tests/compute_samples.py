"""Lakes for the tests of compute/: copper as EMT likes it, and calculators that misbehave."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

import lake
from compute import Request
from compute.models.registration import add_model
from ingest.api import ingest
from lake.lake import Lake

N_METALS = 40
CALCULATORS = Path(__file__).parent / "calculators_that_misbehave.py"


def structures(n: int, seed: int = 0) -> list[Atoms]:
    """Cells with and without a vacancy, molecules, one atom; of copper and nickel."""
    random = np.random.default_rng(seed)
    made = []
    for i in range(n):
        match i % 4:
            case 0:
                atoms = bulk("Cu", cubic=True) * (2, 1, 1)
            case 1:
                atoms = (bulk("Ni", cubic=True) * (2, 2, 1))[:-1]
            case 2:
                atoms = Atoms("CuNiCu", positions=[(0, 0, 0), (2.4, 0, 0), (1.2, 2.1, 0)])
            case _:
                atoms = Atoms("Cu")
        atoms.positions += random.normal(scale=0.1, size=atoms.positions.shape)
        made.append(atoms)
    return made


def make_lake(folder: Path, frames: Sequence[Atoms], dataset: str = "metals") -> Lake:
    """A lake that holds the structures, without labels."""
    file = folder / "frames.xyz"
    write(file, list(frames), format="extxyz", write_results=False)
    lk = lake.create(str(folder / "lake"))
    report = ingest(lk, "extxyz", [str(file)], dataset=dataset)
    assert report.total("rows") == len(frames)
    return lk


def add_emt(lk: Lake, name: str = "emt") -> None:
    add_model(lk, name, engine="ase", path="ase.calculators.emt:EMT")


@pytest.fixture
def lake_of_metals(tmp_path: Path) -> Lake:
    """`N_METALS` structures and the model ``emt``; modules name this fixture `lk`."""
    lk = make_lake(tmp_path, structures(N_METALS))
    add_emt(lk)
    return lk


def add_misbehaving(lk: Lake, name: str, **options: object) -> None:
    """Register one of `calculators_that_misbehave`."""
    add_model(lk, name, engine="ase", path=f"{CALCULATORS}:{name}", options=options)


def request(model: str = "emt", **more: Any) -> Request:
    """Predictions of the metals by one model."""
    return Request("predict", ["metals"], [model], **more)


def rows(lk: Lake, model: str = "emt") -> list[dict[str, Any]]:
    """Predictions of a model, in the order of the ids."""
    return lk.scan("predictions", model=model).sort("structure_id").collect().to_dicts()


def command(lk: Lake, *words: str) -> list[str]:
    """The words that compute predictions of the metals in a process of its own."""
    return [
        *(sys.executable, "-m", "lake.cli", "--lake", lk.storage.uri, "compute", "predict"),
        *("--dataset", "metals", *words),
    ]
