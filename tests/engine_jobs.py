"""The engines under test, each with its model, and the driver that evaluates them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import trained_models
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Job = dict[str, Any]

TESTS = Path(__file__).resolve().parent
DRIVER = TESTS / "engine_driver.py"


def _job(engine: str, path: object, **more: Any) -> Job:
    return {
        "engine": engine,
        "path": str(path),
        "device": "cpu",
        "dtype": None,
        "options": {},
    } | more


# Of every engine: which environment it runs in, and the job, made when it is asked for.
ENGINES: dict[str, tuple[str | None, Callable[[], Job]]] = {
    "mace": ("mace", lambda: _job("mace", trained_models.mace_model())),
    "mace-float32": (
        "mace",
        lambda: _job("mace", trained_models.mace_model(), dtype="float32"),
    ),
    "mace-head": (
        "mace",
        lambda: _job(
            "mace", trained_models.mace_model(heads=("emt", "other")), options={"head": "other"}
        ),
    ),
    "nequip": ("nequip", lambda: _job("nequip", trained_models.nequip_model())),
    "nequip-package": (
        "nequip",
        lambda: _job("nequip", trained_models.packaged(trained_models.nequip_model())),
    ),
    "nequip-cutoffs": (
        "nequip",
        lambda: _job("nequip", trained_models.nequip_model(per_type_cutoff=True)),
    ),
    "nequip-float32": (
        "nequip",
        lambda: _job("nequip", trained_models.nequip_model(dtype="float32"), dtype="float32"),
    ),
    "allegro": ("nequip", lambda: _job("allegro", trained_models.allegro_model())),
    "allegro-float32": (
        "nequip",
        lambda: _job("allegro", trained_models.allegro_model(dtype="float32")),
    ),
    "ase-emt": (None, lambda: _job("ase", "ase.calculators.emt:EMT")),
    "ase-file": (
        "mace",
        lambda: _job(
            "ase",
            f"{TESTS / 'engine_mace_factory.py'}:make",
            options={"path": str(trained_models.mace_model())},
        ),
    ),
}


def run_driver(task: str, environment: str | None, job: object, folder: Path) -> Arrays:
    python = trained_models.environment_python(environment) if environment else sys.executable
    output = folder / "arrays.npz"
    done = subprocess.run(
        [str(python), str(DRIVER), task, str(output)],
        input=json.dumps(job),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return load(folder)


def load(folder: Path) -> Arrays:
    with np.load(folder / "arrays.npz") as arrays:
        return dict(arrays)
