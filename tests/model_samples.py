"""Models to register in tests: calculators of ASE, and interpreters that answer oddly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from compute.environments.environment import Environment
from compute.environments.registry import add_environment
from compute.models.model import Model
from compute.models.registration import add_model
from lake.cli import root
from lake.lake import Lake

EMT = "ase.calculators.emt:EMT"
CALCULATOR = """
from ase.calculators.lj import LennardJones
def make(sigma=1.0):
    return LennardJones(sigma=sigma)
"""


def add(lk: Lake, name: str = "emt", path: str = EMT, **more: Any) -> Model:
    return add_model(lk, name, engine="ase", path=path, **more)


def run(lk: Lake, *words: str) -> Result:
    return CliRunner().invoke(root, words, env={"ATOMLAKE": lk.storage.uri})


def stand_in(folder: Path, text: str) -> Environment:
    """This interpreter, but for the module that describes models."""
    file = folder / "python"
    file.write_text(
        f'#!/bin/sh\ncase "$*" in *compute.engines.describe*) {text};; '
        f'*) exec {sys.executable} "$@";; esac\n'
    )
    file.chmod(0o755)
    return add_environment("odd", str(file)).environment
