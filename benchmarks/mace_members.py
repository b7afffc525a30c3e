"""A small MACE model and members fine-tuned from it, by MACE's own command."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

AT_ONCE = 2  # on one thread each: models this small gain nothing from a second
COMMON = {
    "energy_key": "REF_energy",
    "forces_key": "REF_forces",
    "valid_fraction": 0.1,
    "model": "MACE",
    "hidden_irreps": "32x0e+32x1o",
    "max_ell": 2,
    "correlation": 2,
    "num_interactions": 2,
    "MLP_irreps": "16x0e",
    "r_max": 4.0,
    "loss": "weighted",
    "batch_size": 10,
    "default_dtype": "float32",
    "device": "cpu",
    "plot": False,
}
MEMBER = {"E0s": "foundation", "multiheads_finetuning": False}

Options = Mapping[str, object]


def train_parent(python: Path, data: Path, seed: int, options: Options, folder: Path) -> Path:
    """Train from nothing; the model.

    Parameters
    ----------
    options
        Options of MACE besides the common ones; True is an option without a value.
    """
    given = {"E0s": "average", **options, "train_file": data}
    return _trained(python, "parent", seed, given, folder)


def fine_tune(
    python: Path, parent: Path, data: Path, seeds: Sequence[int], options: Options, folder: Path
) -> list[Path]:
    """Go on from the parent with other seeds; the models, in order of the seeds.

    Parameters
    ----------
    options
        As of `train_parent`.
    """
    given = {**MEMBER, **options, "foundation_model": parent, "train_file": data}
    with ThreadPoolExecutor(AT_ONCE) as trainings:
        return list(trainings.map(lambda s: _trained(python, "member", s, given, folder), seeds))


def _trained(python: Path, name: str, seed: int, options: Options, folder: Path) -> Path:
    work = folder / f"{name}-{seed}"
    model = work / "checkpoints" / f"{name}_run-{seed}.model"
    if model.exists():
        return model
    named = {**COMMON, **options, "name": name, "seed": seed, "work_dir": work}
    flags = [f"--{k}" if v is True else f"--{k}={v}" for k, v in named.items()]
    command = [str(python.with_name("mace_run_train")), *flags]
    with (folder / f"{name}-{seed}.log").open("w") as log:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=True)
    return model
