"""Keep a lake sound and small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from lake.commands.printing import Record, print_frame, print_json, print_records
from lake.commands.target import Target, pass_target


@click.command()
@click.option("--fast", is_flag=True, help="Leave out the checksums of the data files.")
@pass_target
def check(target: Target, fast: bool) -> None:
    """Check that files are what was written and counts add up.

    The exit code is 1 when there is a problem. Notes are about what is untidy and does no harm.

    \b
    Example:
      atomlake check --lake lakes/demo
    """
    lk = target.open()
    problems = [asdict(problem) for problem in lk.check(deep=not fast)]
    notes = [asdict(note) for note in lk.notes()]
    if target.as_json:
        print_json({"problems": problems, "notes": notes})
    else:
        print_findings(target, problems, notes)
    if problems:
        raise click.exceptions.Exit(1)


def print_findings(target: Target, problems: Sequence[Record], notes: Sequence[Record]) -> None:
    """Print the problems of a lake, and then the notes."""
    if problems:
        print_records(target, problems)
    else:
        click.echo("No problems.")
    if notes:
        click.echo("\nNotes, which do no harm:")
        print_records(target, notes)


@click.command()
@click.option("--table", "tables", multiple=True, help="Only this table. May be repeated.")
@pass_target
def optimize(target: Target, tables: tuple[str, ...]) -> None:
    """Merge small files and sort their rows, as a new version.

    \b
    Example:
      atomlake optimize --table structures --lake lakes/demo
    """
    print_frame(target, target.open().optimize(tables=tables or None))


@click.command()
@click.option("--delete", is_flag=True, help="Delete the files; without it they are only listed.")
@click.option(
    "--keep-days",
    type=click.FloatRange(min=0),
    default=7.0,
    show_default=True,
    help="Keep what was written in the last so many days: a running writer may need it.",
)
@click.option(
    "--keep-versions",
    type=click.Choice(["all", "tagged"]),
    default="all",
    show_default=True,
    help="'tagged' gives up old versions without a tag: reading them fails from then on.",
)
@pass_target
def vacuum(target: Target, delete: bool, keep_days: float, keep_versions: str) -> None:
    """List the files that no version of the lake needs, or delete them.

    \b
    Example:
      atomlake vacuum --lake lakes/demo
      atomlake vacuum --delete --keep-days 30 --lake lakes/demo
      atomlake vacuum --delete --keep-versions tagged --lake lakes/demo
    """
    lake = target.open()
    found = lake.vacuum(dry_run=not delete, keep_days=keep_days, keep_versions=keep_versions)
    print_frame(target, found)
