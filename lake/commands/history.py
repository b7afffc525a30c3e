"""Versions of a lake: what was done, what changed, and names for them."""

from __future__ import annotations

import json
from typing import Any

import click

from lake.commands.printing import print_done, print_frame, print_table
from lake.commands.target import Target, pass_target
from lake.commands.version_type import version as version_type


@click.command()
@pass_target
def log(target: Target) -> None:
    """List the commits, newest first.

    With --json, also their arguments, the checksums of their inputs, and who wrote them where.

    \b
    Example:
      atomlake log --lake lakes/demo
    """
    commits = target.open().log()
    if target.as_json:
        print_frame(target, commits)
    else:
        heading = ("version", "committed at", "operation", "changes", "user")
        print_table(heading, [commit_row(commit) for commit in commits.to_dicts()])


def commit_row(commit: dict[str, Any]) -> tuple[object, ...]:
    """What a person wants to see of a commit."""
    changes = json.loads(commit["counts"])
    text = ", ".join(f"{table} {change_text(change)}" for table, change in changes.items())
    return (
        commit["version"],
        commit["committed_at"],
        commit["operation"],
        text,
        commit["user"],
    )


def change_text(change: dict[str, int]) -> str:
    """Rows added and removed, e.g. ``+12 -3``.

    Examples
    --------
    >>> change_text({"rows_added": 12, "rows_removed": 0})
    '+12'
    """
    added, removed = change["rows_added"], change["rows_removed"]
    return f"+{added} -{removed}" if removed else f"+{added}"


@click.command()
@click.argument("a", type=version_type)
@click.argument("b", type=version_type)
@pass_target
def diff(target: Target, a: int | str, b: int | str) -> None:
    """Count what changed from version A to version B, per partition.

    \b
    Example:
      atomlake diff 3 4 --lake lakes/demo
      atomlake diff paper-v1 7 --lake lakes/demo
    """
    print_frame(target, target.open().diff(a, b))


@click.command()
@click.argument("name", required=False)
@click.option(
    "--version", type=click.IntRange(min=0), help="Version to name.  [default: the newest]"
)
@click.option("--message", "-m", help="What the version is for.")
@click.option("--list", "list_tags", is_flag=True, help="List the tags and do nothing else.")
@pass_target
def tag(
    target: Target, name: str | None, version: int | None, message: str | None, list_tags: bool
) -> None:
    """Give a version the name NAME, for good.

    \b
    Example:
      atomlake tag paper-v1 -m "as submitted" --lake lakes/demo
      atomlake tag --list --lake lakes/demo
    """
    if list_tags:
        print_frame(target, target.open().tags())
        return
    if name is None:
        raise click.UsageError("Missing argument NAME. To see the tags there are, add --list.")
    tagged = target.open().tag(name, version=version, message=message)
    print_done(target, f"Version {tagged} is now called {name}.", tag=name, version=tagged)
