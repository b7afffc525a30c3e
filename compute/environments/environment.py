"""An environment: a name for a Python interpreter of this machine."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from compute.environments.places import absolute_place
from lake.errors import InvalidInputError

HERE = "here"


@dataclass(frozen=True)
class Environment:
    """A Python interpreter of this machine. ``python`` is an absolute path."""

    name: str
    python: str

    def __str__(self) -> str:
        return f"environment {self.name} ({self.python})"


def here() -> Environment:
    """The interpreter that runs atomlake."""
    return Environment(HERE, sys.executable)


def find_interpreter(text: str) -> str:
    """Absolute path of an interpreter.

    Links are kept as they are: the interpreter of a venv is a link, and knows its packages by the
    place of the link.

    Parameters
    ----------
    text
        An interpreter, the folder of a venv or conda environment, or a command on the PATH.

    Raises
    ------
    InvalidInputError
        There is none.
    """
    path = Path(text).expanduser()
    if "/" not in text and not path.exists() and (command := shutil.which(text)) is not None:
        path = Path(command)
    if path.is_dir():
        path = path / "bin" / "python"
    if not path.is_file():
        raise InvalidInputError(
            f"{path.absolute()}: {_what_is_wrong(path)}. Expected a Python interpreter, or the "
            "folder of a venv or conda environment that has bin/python. Give its path as --python."
        )
    return absolute_place(path)


def _what_is_wrong(path: Path) -> str:
    if path.is_symlink():
        return f"the link leads to {path.readlink()}, which is not there"
    return "is no file" if path.exists() else "does not exist"
