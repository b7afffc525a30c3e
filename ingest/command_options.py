"""Options that commands of `atomlake ingest` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

files = click.argument("files", nargs=-1, required=True)
units = click.option(
    "--units",
    multiple=True,
    metavar="QUANTITY=UNIT",
    help="Unit of energy, length, forces, stress or virial, where it is not eV and Å.",
)
workers = click.option(
    "--workers", type=int, help="Tasks that parse at once.  [default: all cores]"
)
scheduler = click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler to parse on.")
strict = click.option("--strict", is_flag=True, help="Commit nothing if a frame is rejected.")


def structure_options(command: Command) -> Command:
    """The arguments and options of every format of structures."""
    for decorator in reversed(
        (
            files,
            click.option("--dataset", required=True, help="Dataset the structures go to."),
            click.option(
                "--label-set",
                default="dft",
                show_default=True,
                help="Level of theory or source of the labels.",
            ),
            click.option(
                "--map",
                "key_map",
                multiple=True,
                metavar="LABEL=KEY",
                help="Key that holds a label: energy, forces, stress, virial or config_type. "
                "Empty: there is none.",
            ),
            units,
            click.option(
                "--name-pattern",
                metavar="REGEX",
                help="Named groups matched in the file name become info keys, the group strain "
                "in percent; KEY~REGEX matches in an info key.",
            ),
            workers,
            scheduler,
            strict,
        )
    ):
        command = decorator(command)
    return command
