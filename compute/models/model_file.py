"""The file of a model, and its checksum: what is loaded must be what was registered."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from compute.environments.environment import HERE, Environment
from compute.environments.places import absolute_place
from compute.environments.processes import run_python
from compute.models.calculator_source import MARK, find_source
from lake.errors import InvalidInputError

FIND_TIMEOUT_S = 60.0


class RegisteredFile(Protocol):
    """What is known of a model's file: `Model` has it, and so has what a worker is told."""

    @property
    def name(self) -> str:
        """Name of the model."""
        ...

    @property
    def engine(self) -> str:
        """Engine that loads it."""
        ...

    @property
    def path(self) -> str:
        """Where it lies."""
        ...

    @property
    def sha256(self) -> str:
        """Its checksum when it was registered."""
        ...


def absolute_path(engine: str, path: str) -> str:
    """The path as it is stored: see `absolute_place`; ``package.module:Class`` stays as it is.

    Raises
    ------
    InvalidInputError
        A calculator is given in neither of its two forms.
    """
    if engine != "ase":
        return absolute_place(path)
    place, attribute = _calculator(path)
    if place.endswith(".py"):
        place = absolute_place(place)
    return f"{place}:{attribute}"


def checksum(engine: str, path: str, environment: Environment | None = None) -> str:
    """The sha256 of a model, in hex.

    Of an ASE calculator it is that of ``<sha256 of the source file>\\n<name>``, where the name is
    ``package.module:Class``, or the attribute alone where a file is given.

    Parameters
    ----------
    environment
        Where the module of a calculator is looked for; by default in this process.

    Raises
    ------
    InvalidInputError
        The file is missing, empty or cannot be read.
    """
    if engine != "ase":
        return _file_checksum(Path(path))
    place, attribute = _calculator(path)
    if place.endswith(".py"):
        of_file, name = _file_checksum(Path(place)), attribute
    else:
        of_file, name = _file_checksum(_module_file(place, environment)), f"{place}:{attribute}"
    return hashlib.sha256(f"{of_file}\n{name}".encode()).hexdigest()


def verify_file(model: RegisteredFile, environment: Environment | None = None) -> None:
    """Make sure that the file of a model is the one that was registered.

    Parameters
    ----------
    environment
        Where the module of a calculator is looked for; by default in this process.

    Raises
    ------
    InvalidInputError
        It has changed since, is missing, or cannot be read.
    """
    try:
        found = checksum(model.engine, model.path, environment)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"Model {model.name}: {error} If it was moved: atomlake model move {model.name} PATH"
        ) from error
    if found != model.sha256:
        raise InvalidInputError(
            f"Model {model.name}: {model.path} has the sha256 {found}, and was registered with "
            f"{model.sha256}. A name means one file. Put the old file back, or register this one "
            "under a new name with atomlake model add."
        )


def _calculator(path: str) -> tuple[str, str]:
    """Module or file of a calculator, and the name of the class or function in it."""
    place, _, attribute = path.rpartition(":")
    is_module = all(part.isidentifier() for part in place.split("."))
    if not attribute.isidentifier() or not (place.endswith(".py") or is_module):
        raise InvalidInputError(
            f"{path}: no ASE calculator is called that. Expected package.module:Class, e.g. "
            "ase.calculators.emt:EMT, or file.py:function. Give --path in one of these forms."
        )
    return place, attribute


def _file_checksum(path: Path) -> str:
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise InvalidInputError(f"{path} {what}. Expected the file of a model. Check the path.")
    try:
        with path.open("rb") as stream:
            if not stream.peek(1):
                raise InvalidInputError(
                    f"{path} is empty. Expected the file of a model. Was it still being written?"
                )
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error.strerror}. Expected the file of a model. Check its "
            "permissions."
        ) from error


def _module_file(module: str, environment: Environment | None) -> Path:
    """The source file of a module."""
    try:
        return Path(find_source(module) if environment is None else _ask(module, environment))
    except LookupError as error:
        where = "" if environment is None or environment.name == HERE else f" in the {environment}"
        raise InvalidInputError(
            f"{module}: {error.args[0]}{where}. Expected a module that is installed there. Install "
            "it, check its name, or give the environment that has it as --env NAME."
        ) from error


def _ask(module: str, environment: Environment) -> str:
    source = files("compute").joinpath("models", "calculator_source.py").read_text("utf-8")
    start = "import sys; exec(sys.argv[1])"
    output = run_python(environment, ["-c", start, source, module], timeout_s=FIND_TIMEOUT_S)
    lines = [line for line in output.stdout.splitlines() if line.startswith(MARK)]
    if not lines:
        raise LookupError(f"the search for it failed: {output.reason}")
    answer = json.loads(lines[-1].removeprefix(MARK))
    if "error" in answer:
        raise LookupError(answer["error"])
    return str(answer["file"])
