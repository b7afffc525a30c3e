"""Trained networks from end to end: MACE, NequIP and Allegro, each in its own environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trained_models
from compute_samples import make_lake, structures
from small_disks import small_disk

import lake
from compute import Limits, Request, coverage, run
from compute.environments.registry import add_environment
from compute.models.registration import add_model
from lake.errors import InvalidInputError, JobFailedError
from lake.lake import Lake

pytestmark = pytest.mark.slow
N = 24
FEATURES = {"mace": 6, "nequip": 6, "allegro": 24}


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lake that knows a model of each engine, in two environments."""
    folder = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATOMLAKE_ENVIRONMENTS", str(folder / "environments.json"))
        lk = make_lake(folder, structures(N))
        for name in ("mace", "nequip"):
            add_environment(name, str(trained_models.environment_python(name)))
        for engine in FEATURES:
            path = str(getattr(trained_models, f"{engine}_model")())
            environment = "mace" if engine == "mace" else "nequip"
            add_model(lk, engine, engine=engine, path=path, environment=environment)
    return folder


@pytest.fixture
def lk(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A copy of that lake."""
    shutil.copytree(registered, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("ATOMLAKE_ENVIRONMENTS", str(tmp_path / "environments.json"))
    return lake.open(str(tmp_path / "lake"))


def test_all_engines_in_one_command(lk: Lake) -> None:
    request = Request("predict", ["metals"], ["*"], latents="last")
    report = run(lk, request)
    assert (report.total("ok"), report.total("failed")) == (3 * N, 0)
    assert coverage(lk.reader)["latents"].to_list() == [N] * 3
    for engine, n_features in FEATURES.items():
        latents = list(lk.latents(dataset="metals", model=engine))
        n_atoms = sum(batch.num_rows for batch in latents)
        assert n_atoms == lk.scan("structures").collect()["n_atoms"].sum()
        widths = lk.scan("embeddings", model=engine).collect()["n_features"].unique().to_list()
        assert widths == [n_features]
    assert lk.check() == []
    # Other batches, latents first and alone, half of them stored earlier: the same numbers.
    before = {engine: numbers(lk, engine) for engine in FEATURES}
    lk.drop(dataset="metals", model="mace")
    run(lk, Request("latents", ["metals"], ["mace"], latents="last", where="n_atoms > 3"))
    assert lk.scan("predictions", model="mace").collect().is_empty()
    run(lk, Request("predict", ["metals"], ["mace"], latents="last", limits=Limits(batch=1)))
    after = numbers(lk, "mace")
    for kind in ("energy", "forces", "mean"):
        np.testing.assert_allclose(after[kind], before["mace"][kind], rtol=1e-10, atol=1e-10)
    assert lk.check() == []


def numbers(lk: Lake, model: str) -> dict[str, Any]:
    rows = lk.scan("predictions", model=model).sort("structure_id").collect()
    pointers = lk.scan("embeddings", model=model).sort("structure_id").collect()
    forces = np.array([x for row in rows["forces"] for axis in "xyz" for x in row[axis]])
    means = np.array(pointers["mean"].to_list())
    return {"energy": rows["energy"].to_numpy(), "forces": forces, "mean": means}


def test_half_precision_and_all_layers(lk: Lake) -> None:
    run(lk, Request("latents", ["metals"], ["mace"], latents="all", latents_dtype="float16"))
    pointers = lk.scan("embeddings").collect()
    assert sorted(pointers["layer"].unique().to_list()) == ["0", "last"]
    assert pointers["dtype"].unique().to_list() == ["float16"]
    # What is there in another type is not taken for what is asked for, nor mixed with it.
    others = rf"{N} of layer last as float16\..*--latents-dtype float16"
    with pytest.raises(InvalidInputError, match=others):
        run(lk, Request("latents", ["metals"], ["mace"], latents="last"))
    again = Request("latents", ["metals"], ["mace"], latents="last", latents_dtype="float16")
    assert run(lk, again).n_missing == 0
    assert lk.check() == []


def test_predictions_in_another_type_are_said(lk: Lake) -> None:
    run(lk, Request("predict", ["metals"], ["mace"], where="n_atoms = 1"))
    single = Request("predict", ["metals"], ["mace"], dtype="float32")
    said = f"{N // 4} predictions of mace for metals were computed in float64"
    report = run(lk, single)
    assert report.total("ok") == N - N // 4
    assert f"{said}, and this asks for float32" in report.text()
    assert "atomlake drop predictions metals mace" in report.text()
    (other,) = report.as_dict()["of_other_types"]
    assert (other["n"], other["there"], other["asked"]) == (N // 4, "float64", "float32")
    again = run(lk, single)
    assert again.n_missing == 0
    assert again.text().startswith(f"Nothing is missing.\n{said}")
    own = run(lk, Request("predict", ["metals"], ["mace"]))  # that of the model, float64
    assert f"{N - N // 4} predictions of mace for metals were computed in float32" in own.text()


def test_elements_a_network_does_not_know(tmp_path: Path, lk: Lake) -> None:
    from ase import Atoms
    from ase.io import write

    from ingest.api import ingest

    file = tmp_path / "gold.xyz"
    write(
        file,
        [Atoms("AuCu", positions=[(0, 0, 0), (0, 0, 2.5)]), Atoms("Cu2", [(0, 0, 0), (0, 0, 2)])],
    )
    ingest(lk, "extxyz", [str(file)], dataset="alloys")
    report = run(lk, Request("predict", ["alloys"], ["*"]))
    assert (report.total("ok"), report.total("failed")) == (3, 3)
    errors = lk.scan("predictions").filter(status="failed").collect()["error"].unique().to_list()
    assert errors == ["the model does not know Au; it knows Cu, Ni"]


def test_memory_that_runs_out_means_smaller_batches(lk: Lake, tmp_path: Path) -> None:
    from ase.build import bulk
    from ase.io import write

    from ingest.api import ingest

    frames = []
    for i in range(16):
        atoms = bulk("Cu", cubic=True) * (6, 6, 6)
        atoms.rattle(0.05, seed=i)
        frames.append(atoms)
    huge = bulk("Cu", cubic=True) * (30, 30, 30)
    file = tmp_path / "large.xyz"
    write(file, [*frames, huge])
    ingest(lk, "extxyz", [str(file)], dataset="large")
    limits = Limits(max_edges=10**9, max_memory=3 * 2**30)
    report = run(lk, Request("predict", ["large"], ["mace"], limits=limits))
    assert (report.total("ok"), report.total("failed")) == (16, 1)
    (failed,) = lk.scan("predictions").filter(status="failed").collect().to_dicts()
    assert failed["n_atoms"] == len(huge)
    assert "does not fit into the memory of cpu" in failed["error"]
    assert lk.check() == []


def test_a_structure_with_too_many_neighbours_for_the_memory_fails_alone(
    lk: Lake, tmp_path: Path
) -> None:
    from ase.build import bulk
    from ase.io import write

    from ingest.api import ingest

    file = tmp_path / "huge.xyz"
    write(file, [bulk("Cu", cubic=True), bulk("Cu", cubic=True) * (60, 60, 60)])
    ingest(lk, "extxyz", [str(file)], dataset="huge")
    limits = Limits(max_memory=2200 * 2**20)
    report = run(lk, Request("predict", ["huge"], ["mace"], limits=limits))
    assert (report.total("ok"), report.total("failed")) == (1, 1)
    (failed,) = lk.scan("predictions").filter(status="failed").collect().to_dicts()
    assert failed["error"] == "no memory for the neighbours of its 864000 atoms within 4 Å"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", "3m") as folder:
        yield folder


def test_a_disk_that_fills_up_while_latents_are_written(disk: Path, lk: Lake) -> None:
    lk = make_lake(disk, structures(N))
    path = str(trained_models.mace_model())
    add_model(lk, "mace", engine="mace", path=path, environment="mace")
    version = lk.version
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(b"x" * (free.f_bavail * free.f_frsize - 16_000))
    request = Request("predict", ["metals"], ["mace"], latents="all")
    with pytest.raises(JobFailedError, match=r"(?i)no space|disk"):
        run(lk, request)
    assert lk.version == version
    assert lk.scan("predictions").collect().is_empty()
    assert lk.check() == []
    ballast.unlink()
    assert run(lk, request).total("ok") == N
    assert lk.check() == []


def test_a_damaged_checkpoint(tmp_path: Path, lk: Lake) -> None:
    torn = tmp_path / "torn.model"
    torn.write_bytes(trained_models.mace_model().read_bytes()[:10_000])
    with pytest.raises((InvalidInputError, JobFailedError), match=r"torn\.model"):
        add_model(lk, "torn", engine="mace", path=str(torn), environment="mace")


def test_a_missing_environment(lk: Lake, tmp_path: Path) -> None:
    file = Path(tmp_path / "environments.json")
    file.write_text(file.read_text().replace("/bin/python", "/bin/python-gone"))
    with pytest.raises(InvalidInputError, match="python-gone"):
        run(lk, Request("predict", ["metals"], ["mace"]))


def test_another_version_over_there(lk: Lake) -> None:
    """The check before the job is what users meet; the worker looks again."""
    from compute.jobs.job import Job, JobModel

    job = Job("j", lk.storage.uri, "predict", (JobModel("m", 1, "mace", "p", "0"),), ("metals",))
    other = job.as_json().replace(f'"version": "{job.version}"', '"version": "0.0.1"')
    words = [sys.executable, "-P", "-m", "compute.worker"]
    done = subprocess.run(words, input=other, capture_output=True, text=True)
    assert done.returncode == 2
    assert "0.0.1" in done.stdout
    assert "Traceback" not in done.stderr
