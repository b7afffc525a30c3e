"""Say what a lake holds."""

from __future__ import annotations

import click

from lake.commands.printing import print_json
from lake.commands.target import Target, pass_target
from lake.commands.version_type import version as version_type


@click.command()
@click.option("--at", type=version_type, help="Version or tag to look at.  [default: the newest]")
@pass_target
def info(target: Target, at: int | str | None) -> None:
    """Show what the lake holds: datasets, labels, sizes.

    \b
    Example:
      atomlake info --lake lakes/demo
    """
    lk = target.open()
    summary = (lk if at is None else lk.at(at)).info()
    if target.as_json:
        print_json(summary.as_dict())
    else:
        click.echo(summary.text())
