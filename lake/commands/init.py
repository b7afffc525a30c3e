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

    \b
    Example:
      atomlake init lakes/demo
      atomlake init s3://bucket/lake --storage-option region=eu-west-1
    """
    import lake

    uri = path or target.require_uri()
    lake.create(uri, storage_options=target.storage_options)
    print_done(target, f"Made an empty lake at {uri}.", lake=uri)
