"""Options of commands that answer with a folder of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lake.commands.formats import FORMATS

Command = TypeVar("Command", bound=Callable[..., Any])


def folder_options(command: Command) -> Command:
    """Where the files go and which there are: ``folder``, ``name``, ``figures``, ``report``."""
    for decorator in reversed(
        (
            click.option(
                "-o",
                "--output",
                "folder",
                required=True,
                metavar="DIR",
                type=click.Path(file_okay=False, path_type=Path),
                help="Where to write what comes of it.",
            ),
            click.option(
                "--format",
                "name",
                type=click.Choice(list(FORMATS)),
                default="csv",
                show_default=True,
                help="Format of the tables.",
            ),
            click.option(
                "--figures/--no-figures", default=True, show_default=True, help="Draw figures."
            ),
            click.option(
                "--report",
                is_flag=True,
                help="Write one page with everything, for a browser.",
            ),
        )
    ):
        command = decorator(command)
    return command
