"""MACE's preprocessing to HDF5, run by an interpreter that has MACE."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.contenders import NotInstalledError, stopwatch

PYTHON_VARIABLE = "ATOMLAKE_BENCH_MACE_PYTHON"
DEFAULT_PYTHON = Path(".venv-mace/bin/python")
PROCESSES = 2


def convert(file: Path, folder: Path) -> float:
    """Convert a file as before a training: start of the program included, as it cannot be left out.

    Statistics are not computed, because the other contenders compute none.

    Raises
    ------
    NotInstalledError
        There is no such interpreter.
    """
    python = Path(os.environ.get(PYTHON_VARIABLE, DEFAULT_PYTHON))
    if not python.exists():
        raise NotInstalledError(f"not installed; make engines, or set {PYTHON_VARIABLE}")
    command = [
        *(str(python), "-m", "mace.cli.preprocess_data", "--train_file", str(file)),
        *("--valid_fraction", "0.01", "--h5_prefix", f"{folder}/", "--work_dir", str(folder)),
        *("--num_process", str(PROCESSES), "--atomic_numbers", "[28, 29]"),
        *("--energy_key", "energy", "--forces_key", "forces", "--stress_key", "stress"),
    ]
    with stopwatch() as watch:
        subprocess.run(command, check=True, capture_output=True)
    return watch.seconds
