"""What the demo shows: headings, and every command before it runs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

QUESTIONS = Path(__file__).parent / "questions"


@dataclass(frozen=True)
class Terminal:
    """A shell in which variables are set, once for all commands."""

    variables: Mapping[str, str]

    def export(self) -> None:
        """Show how the variables are set."""
        for name, value in self.variables.items():
            click.echo(f"$ export {name}={shown(value)}")

    def atomlake(self, *words: str) -> None:
        """Show a command and run it.

        Raises
        ------
        click.ClickException
            It failed.
        """
        click.echo(f"$ {' '.join(map(shown, ('atomlake', *words)))}")
        sys.stdout.flush()  # commands write to the same place
        environment = {**os.environ, **self.variables}
        done = subprocess.run([str(atomlake_path()), *words], env=environment, check=False)
        if done.returncode:
            raise click.ClickException(f"atomlake ended with exit code {done.returncode}.")

    def answer(self, name: str) -> None:
        """Ask one of the questions."""
        about, statement = question(name)
        step(about)
        self.atomlake("sql", statement)


def question(name: str) -> tuple[str, str]:
    """What a file of questions/ asks, in words and in SQL."""
    lines = (QUESTIONS / f"{name}.sql").read_text().splitlines()
    statement = [line for line in lines if not line.startswith("--")]
    return lines[0].removeprefix("-- "), "\n".join(statement)


def shown(word: str) -> str:
    """A word of a command, quoted so that it can be pasted into a shell."""
    quoted = shlex.quote(word)
    # SQL has quotation marks of its own, which double ones around it leave readable.
    return f'"{word}"' if quoted != word and not set(word) & set('"$`\\!') else quoted


def step(title: str) -> None:
    """Print a heading."""
    click.secho(f"\n# {title}", bold=True)
    sys.stdout.flush()


def atomlake_path() -> Path:
    """The command, in the environment this runs in."""
    return Path(sysconfig.get_path("scripts")) / "atomlake"
