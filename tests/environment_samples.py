"""Interpreters for tests that are not quite this one."""

from __future__ import annotations

import sys
from pathlib import Path

from click.testing import CliRunner, Result

from lake.cli import root


def script(folder: Path, text: str, name: str = "python") -> str:
    """An executable shell script."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def python_with(folder: Path, **modules: str) -> str:
    """This interpreter, which finds modules of ours before all others; ``a_b`` is ``a/b.py``."""
    library = folder / "library"
    for name, text in modules.items():
        file = library / f"{name.replace('_', '/').replace('init', '__init__')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return script(folder, f'PYTHONPATH={library} exec {sys.executable} "$@"')


def run(*words: str) -> Result:
    return CliRunner().invoke(root, words, env={"ATOMLAKE": None})
