"""Tiny models for the tests, trained once per checkout in the environments of their packages.

They are kept below ``build/test-models``, each in a folder named after its recipe, so a changed
recipe trains anew. They know copper and nickel; their accuracy is of no interest.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import engine_recipes
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
KEPT = CHECKOUT / "build" / "test-models"
TRAINING_TIMEOUT_S = 280


def environment_python(name: str) -> Path:
    """The interpreter of the environment ``mace`` or ``nequip``; without one the test is skipped.

    Where ``CI`` is true, a missing environment fails the test.
    """
    variable = f"ATOMLAKE_{name.upper()}_PYTHON"
    python = Path(os.environ.get(variable) or CHECKOUT / f".venv-{name}" / "bin" / "python")
    if python.exists():
        return python
    reason = f"no {name} environment: {python} is missing; run make engines, or set {variable}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def mace_model(seed: int = 1, dtype: str = "float64", heads: Sequence[str] = ()) -> Path:
    """A ``.model`` of two layers, 6x0e+6x1o and 6x0e; ``heads`` name several readouts."""
    options = engine_recipes.mace_options(seed, dtype)

    def train(python: Path, folder: Path) -> Path:
        data = engine_recipes.write_training_data(folder / "train.xyz")
        command = engine_recipes.mace_command(options, heads, data)
        _run([str(python.with_name("mace_run_train")), *command], folder)
        return folder / "checkpoints" / f"{options['name']}_run-{seed}.model"

    return _kept("mace", "mace.model", [options, list(heads)], train)


def mace_member(seed: int) -> Path:
    """`mace_model`, gone on with another seed: a member of an ensemble of one parent."""
    parent = mace_model()
    options = engine_recipes.mace_member_options(seed)

    def train(python: Path, folder: Path) -> Path:
        data = engine_recipes.write_training_data(folder / "train.xyz")
        command = engine_recipes.mace_command(options | {"foundation_model": parent}, (), data)
        _run([str(python.with_name("mace_run_train")), *command], folder)
        return folder / "checkpoints" / f"{options['name']}_run-{seed}.model"

    return _kept(
        "mace", "mace.model", ["of", engine_recipes.mace_options(1, "float64"), options], train
    )


def nequip_model(seed: int = 1, dtype: str = "float64", per_type_cutoff: bool = False) -> Path:
    """A NequIP ``.ckpt`` of two layers; ``per_type_cutoff`` lets nickel see less far."""
    return _nequip_family("nequip", engine_recipes.nequip(seed, dtype, per_type_cutoff))


def allegro_model(seed: int = 1, dtype: str = "float64") -> Path:
    """An Allegro ``.ckpt`` of two layers."""
    return _nequip_family("allegro", engine_recipes.allegro(seed, dtype))


def packaged(checkpoint: Path) -> Path:
    """The model of a NequIP or Allegro checkpoint as ``.nequip.zip``, beside it."""
    package = checkpoint.with_suffix(".nequip.zip")
    with lock(checkpoint.parent):
        if not package.exists():
            part = checkpoint.with_name("part.nequip.zip")
            part.unlink(missing_ok=True)
            program = environment_python("nequip").with_name("nequip-package")
            _run([str(program), "build", str(checkpoint), str(part)], checkpoint.parent)
            part.rename(package)
    return package


def _nequip_family(engine: str, model: engine_recipes.Recipe) -> Path:
    def train(python: Path, folder: Path) -> Path:
        data = engine_recipes.write_training_data(folder / "train.xyz")
        config = engine_recipes.nequip_config(model, data)
        (folder / "train.yaml").write_text(json.dumps(config))  # JSON is YAML
        program = str(python.with_name("nequip-train"))
        _run([program, "-cp", str(folder), "-cn", "train", f"hydra.run.dir={folder}"], folder)
        return folder / "last.ckpt"

    return _kept(engine, f"{engine}.ckpt", [model], train)


def _kept(
    engine: str, name: str, recipe: list[object], train: Callable[[Path, Path], Path]
) -> Path:
    """The model of a recipe, trained if it is not there yet."""
    python = environment_python("mace" if engine == "mace" else "nequip")
    text = json.dumps([engine_recipes.TRAINING_DATA, recipe], sort_keys=True)
    folder = KEPT / f"{engine}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    model = folder / name
    with lock(folder):
        if not model.exists():
            run = folder / "training"
            shutil.rmtree(run, ignore_errors=True)  # of a training that was killed
            run.mkdir()
            train(python, run).rename(model)
    return model


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other processes from training the same model; a lock of the system dies with us."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TRAINING_TIMEOUT_S,
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr[-4000:]}")
