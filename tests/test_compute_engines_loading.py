"""Models that can and cannot be loaded, and what is said of them."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trained_models
from engine_jobs import run_driver

from compute.engines.ase_engine import AseEngine
from compute.engines.engine import Graph, Wanted
from compute.engines.loading import load_engine
from compute.engines.neighbours import full_cell
from lake.errors import InvalidInputError, JobFailedError, NotFoundError

EMT = "ase.calculators.emt:EMT"


def refused(environment: str, jobs: list[dict[str, Any]], folder: Path) -> list[str]:
    """The texts of the errors, of jobs without what they all have."""
    common = {"device": "cpu", "dtype": None, "options": {}}
    texts = run_driver("refusals", environment, [common | job for job in jobs], folder)["texts"]
    return [str(text) for text in texts]


def damaged(model: Path, folder: Path, suffix: str) -> list[Path]:
    """Files that are no model: cut short, random, a pickle of something else, empty, text."""
    data = model.read_bytes()
    contents = [
        data[: len(data) // 2],
        np.random.default_rng(1).bytes(5000),
        pickle.dumps({"a": 1}),
        b"",
        b"version https://git-lfs.github.com/spec/v1\n",
    ]
    paths = [folder / f"damaged{i}{suffix}" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_mace_refuses_what_is_no_mace(tmp_path: Path) -> None:
    model = trained_models.mace_model()
    two_heads = trained_models.mace_model(heads=("emt", "other"))
    training = next(model.parent.glob("training/checkpoints/*.pt"))
    files = damaged(model, tmp_path, ".model")
    jobs: list[dict[str, Any]] = [{"path": str(path)} for path in files]
    jobs += [
        {"path": str(training)},
        {"path": str(two_heads)},
        {"path": str(two_heads), "options": {"head": "dft"}},
        {"path": str(model), "options": {"hed": "emt"}},
        {"path": str(model), "dtype": "float16"},
        {"path": str(model), "device": "cuda:7"},
        {"path": str(tmp_path / "missing.model")},
        {"path": str(model), "engine": "nequip"},
    ]
    texts = refused("mace", [{"engine": "mace"} | job for job in jobs], tmp_path)
    for path, text in zip(files, texts, strict=False):
        assert text.startswith(f"InvalidInputError: {path}: cannot be loaded as a MACE model: ")
        assert "Copy the file again" in text
    expected = [
        "Give the .model file that lies beside it",
        "several heads, none called default. One of emt, other is expected",
        "no head 'dft'. One of emt, other is expected",
        "has no option hed; it has head",
        "dtype float16: float32 or float64 expected",
        "Device cuda:7: torch",
        "no such file",
        "Install atomlake[nequip]",
    ]
    for text, part in zip(texts[len(files) :], expected, strict=True):
        assert text.startswith("InvalidInputError: ")
        assert part in text


def test_nequip_and_allegro_refuse_each_other_and_what_is_neither(tmp_path: Path) -> None:
    nequip, allegro = trained_models.nequip_model(), trained_models.allegro_model()
    files = damaged(nequip, tmp_path, ".ckpt")
    files += damaged(trained_models.packaged(nequip), tmp_path, ".nequip.zip")
    jobs: list[dict[str, Any]] = [{"path": str(path)} for path in files]
    jobs += [
        {"path": str(trained_models.mace_model())},
        {"path": str(allegro)},
        {"path": str(nequip), "engine": "allegro"},
        {"path": str(nequip), "dtype": "float32"},
        {"path": str(nequip), "options": {"types": {"Cu": "Copper"}}},
        {"path": str(nequip), "options": {"types": {"Cu": "Ni"}}},
    ]
    texts = refused("nequip", [{"engine": "nequip"} | job for job in jobs], tmp_path)
    for path, text in zip(files, texts, strict=False):
        assert text.startswith(f"InvalidInputError: {path}: cannot be loaded as a NequIP")
    expected = [
        "No module named 'mace'",
        "holds a model of allegro, but the engine nequip was named",
        "holds a model of nequip, but the engine allegro was named",
        "its weights are float64",
        "its atom types are Cu, Ni; Copper cannot be matched",
        "loaded",
    ]
    for text, part in zip(texts[len(files) :], expected, strict=True):
        assert part in text


def describe(python: str | Path, job: object) -> tuple[int, dict[str, Any]]:
    text = job if isinstance(job, str) else json.dumps(job)
    done = subprocess.run(
        [str(python), "-m", "compute.engines.describe"],
        input=text,
        capture_output=True,
        text=True,
        timeout=280,
        cwd=trained_models.CHECKOUT,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.endswith("\n")
    return done.returncode, json.loads(done.stdout)


def test_a_model_is_described_in_its_environment() -> None:
    job = {"engine": "mace", "path": str(trained_models.mace_model())}
    code, facts = describe(trained_models.environment_python("mace"), job)
    assert code == 0
    assert sorted(facts["elements"]) == ["Cu", "Ni"]
    assert (facts["r_max"], facts["dtype"], facts["layers"]) == (4.0, "float64", [6, 6])
    assert facts["config"]["irreps"] == ["6x0e+6x1o", "6x0e"]
    assert facts["config"]["class"] == "ScaleShiftMACE"


@pytest.mark.parametrize(("engine", "layers"), [("nequip", [6, 6]), ("allegro", [24])])
def test_a_nequip_and_an_allegro_are_described(engine: str, layers: list[int]) -> None:
    make = {"nequip": trained_models.nequip_model, "allegro": trained_models.allegro_model}
    job = {"engine": engine, "path": str(make[engine](dtype="float32")), "options": {}}
    code, facts = describe(trained_models.environment_python("nequip"), job)
    assert code == 0
    assert facts["elements"] == ["Cu", "Ni"]
    assert (facts["r_max"], facts["dtype"], facts["layers"]) == (4.0, "float32", layers)
    assert facts["n_parameters"] > 100


def test_what_cannot_be_described_is_said_on_standard_output() -> None:
    code, answer = describe(sys.executable, {"engine": "mace", "path": "m.model"})
    assert (code, answer["error"]) == (1, "InvalidInputError")
    assert "mace-torch" in answer["message"]
    code, answer = describe(sys.executable, {"engine": "mac", "path": "m.model"})
    assert (code, answer["error"]) == (1, "NotFoundError")
    for job in ("[]", "{", {"engine": 1, "path": "x"}, {"path": "x"}):
        code, answer = describe(sys.executable, job)
        assert (code, answer["error"]) == (2, "InvalidInputError")


def test_only_the_answer_is_on_standard_output(tmp_path: Path) -> None:
    file = tmp_path / "noisy.py"
    file.write_text(
        "import os\nprint('hello')\nos.system('echo hello')\n"
        "from ase.calculators.emt import EMT\ndef make(): return EMT()\n"
    )
    code, facts = describe(sys.executable, {"engine": "ase", "path": f"{file}:make"})
    assert code == 0
    assert facts["elements"] is None
    assert facts["config"]["calculator"] == "ase.calculators.emt.EMT"


def graph(numbers: list[int], positions: list[list[float]]) -> Graph:
    return Graph(
        np.array(numbers),
        np.array(positions),
        np.zeros((3, 3)),
        np.zeros(3, np.bool_),
        np.empty((2, 0), np.int64),
        np.empty((0, 3)),
    )


def ase_engine(path: str, options: dict[str, Any] | None = None) -> AseEngine:
    engine = load_engine("ase", path, device="auto", dtype=None, options=options or {})
    assert isinstance(engine, AseEngine)
    return engine


def test_what_a_calculator_raises_is_the_reason_and_the_next_structure_is_computed() -> None:
    engine = ase_engine(EMT)
    iron = engine.collate([graph([26, 26], [[0, 0, 0], [0, 0, 1.2]])])
    with pytest.raises(JobFailedError, match="No EMT-potential for Fe"):
        engine.evaluate(iron, Wanted())
    copper = engine.collate([graph([29, 29], [[0, 0, 0], [0, 0, 2.3]])])
    results = engine.evaluate(copper, Wanted())
    assert results.forces is not None
    assert results.forces[0, 2] == -results.forces[1, 2] != 0


def test_an_ase_calculator_has_no_latents_and_takes_its_own_device() -> None:
    engine = ase_engine(EMT)
    batch = engine.collate([graph([29], [[0, 0, 0]])])
    with pytest.raises(InvalidInputError, match="no latents"):
        engine.evaluate(batch, Wanted(layers=(0,)))
    for more in ({"device": "cuda:1", "dtype": None}, {"device": "cpu", "dtype": "float32"}):
        with pytest.raises(InvalidInputError, match="as an option of its own"):
            load_engine("ase", EMT, options={}, **more)


SIMPLE = """
from ase.calculators.calculator import Calculator
class EnergyOnly(Calculator):
    implemented_properties = ["energy"]
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["energy"] = 1.5 * len(self.atoms)
class Full(EnergyOnly):
    def calculate(self, *args, **kwargs):
        raise MemoryError("too large")
class Unconverged(Exception):
    pass
class Own(EnergyOnly):
    def calculate(self, *args, **kwargs):
        raise Unconverged("after 100 steps")
def wrong(): return 3
def needs(argument): return EnergyOnly()
number = 3
"""


def test_a_calculator_of_a_file_with_energies_alone(tmp_path: Path) -> None:
    file = tmp_path / "simple.py"
    file.write_text(SIMPLE)
    engine = ase_engine(f"{file}:EnergyOnly")
    batch = engine.collate([graph([29], [[0, 0, 0]]), graph([1, 1], [[0, 0, 0], [0, 0, 1]])])
    results = engine.evaluate(batch, Wanted())
    assert results.energy.tolist() == [1.5, 3.0]
    assert results.forces is None
    assert results.stress is None
    full = ase_engine(f"{file}:Full")
    with pytest.raises(MemoryError, match="too large"):
        full.evaluate(full.collate([graph([29], [[0, 0, 0]])]), Wanted())


def test_an_error_of_the_calculator_s_own_class_is_a_reason_too(tmp_path: Path) -> None:
    file = tmp_path / "simple.py"
    file.write_text(SIMPLE)
    engine = ase_engine(f"{file}:Own")
    with pytest.raises(JobFailedError, match="Unconverged: after 100 steps"):
        engine.evaluate(engine.collate([graph([29], [[0, 0, 0]])]), Wanted())


def test_names_that_make_no_calculator(tmp_path: Path) -> None:
    file = tmp_path / "simple.py"
    file.write_text(SIMPLE)
    broken = tmp_path / "broken.py"
    broken.write_text("def make(:\n")
    with pytest.raises(NotFoundError, match=r"Did you mean EMT\?"):
        ase_engine("ase.calculators.emt:EMTT")
    with pytest.raises(JobFailedError, match="missing 1 required positional argument"):
        ase_engine(f"{file}:needs")
    for path, reason in {
        "EMT": "file.py:function expected",
        "nowhere.at_all:EMT": "No module named 'nowhere'",
        f"{tmp_path}/missing.py:make": "FileNotFoundError",
        f"{broken}:make": "SyntaxError",
        f"{file}:wrong": "made a int, which is no calculator",
        f"{file}:number": "is a int",
    }.items():
        with pytest.raises(InvalidInputError, match=reason):
            ase_engine(path)


def test_a_periodic_structure_needs_its_lattice_vectors() -> None:
    eye = np.eye(3)
    yes, no = np.ones(3, np.bool_), np.zeros(3, np.bool_)
    slab = np.array([True, True, False])
    assert np.array_equal(full_cell(eye * 4, yes), eye * 4)
    assert np.array_equal(full_cell(np.zeros((3, 3)), no), eye)
    full = full_cell(np.array([[3.0, 0, 0], [1, 2, 0], [0, 0, 0]]), slab)
    assert np.allclose(np.abs(full[2]), [0, 0, 1])
    for cell in (np.zeros((3, 3)), np.ones((3, 3)), np.diag((1.0, 0.0, 1.0))):
        with pytest.raises(InvalidInputError, match="span no volume"):
            full_cell(cell, slab)
