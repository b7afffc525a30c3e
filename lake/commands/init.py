"""Make a lake."""

from __future__ import annotations

import click

from lake.commands.printing import print_done
from lake.commands.target import Target, pass_target


@click.command()
@click.argument("path", required=False)
@pass_target
def init(target: Target, path: str | None) -> None:
    """Make an empty lake at PATH, or where --lake says.

    A lake that is there already stays as it is.

    \b
    Example:
      atomlake init lakes/demo
      atomlake init s3://bucket/lake --storage-option region=eu-west-1
    """
    import lake

    uri = path or target.require_uri()
    lk = lake.create(uri, storage_options=target.storage_options)
    print_done(target, f"Lake at {uri}, version {lk.version}.", lake=uri, version=lk.version)
