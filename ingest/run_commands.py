"""Commands of `atomlake ingest` for the logs of training runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ingest.printing import print_report
from lake.commands.target import Target, pass_target
from lake.errors import InvalidInputError

Command = TypeVar("Command", bound=Callable[..., Any])


def _log_options(command: Command) -> Command:
    """The options every kind of training log shares."""
    for decorator in reversed(
        (
            click.option("--name", help="Name of the run, where one file is read."),
            click.option("--strict", is_flag=True, help="Commit nothing if anything is rejected."),
        )
    ):
        command = decorator(command)
    return command


def _ingest_logs(target: Target, kind: str, **options: Any) -> None:
    """Ingest training logs, print the report, and end with code 1 if anything was rejected."""
    from ingest.progress import progress_shown
    from ingest.runs.api import ingest_runs

    with progress_shown(is_wanted=not target.as_json) as progress:
        report = ingest_runs(
            target.open(),
            kind,
            options.pop("files"),
            storage_options=target.storage_options,
            progress=progress,
            **options,
        )
    print_report(target, report)


@click.command()
@click.argument("files", nargs=-1)
@click.option(
    "--project",
    metavar="NAME",
    help="Project the runs go to, where the files do not say; without FILES, ENTITY/PROJECT on "
    "the server.",
)
@_log_options
@pass_target
def wandb(target: Target, /, **options: Any) -> None:
    """Training runs of wandb: configuration, last values, and everything logged.

    FILES are .wandb files, folders with some, or CSV exports of wandb's pages: of the table of
    runs, or of a panel. Without FILES, whole histories are downloaded from the server.

    \b
    Example:
      atomlake ingest wandb wandb/ --lake lakes/demo
      atomlake ingest wandb runs.csv --project losses --lake lakes/demo
      atomlake ingest wandb --project my-team/losses --lake lakes/demo
    """
    if options["files"]:
        _ingest_logs(target, "wandb", **options)
        return
    from ingest.runs.online import ingest_wandb_project

    if options.pop("name") is not None:
        raise InvalidInputError("--name is for one file. Leave it out, or name a file.")
    print_report(target, ingest_wandb_project(target.open(), options["project"], options["strict"]))


@click.command(name="mace-log")
@click.argument("files", nargs=-1, required=True)
@click.option("--project", required=True, metavar="NAME", help="Project the runs go to.")
@_log_options
@pass_target
def mace_log(target: Target, /, **options: Any) -> None:
    """Training runs of MACE, from results/*_train.txt.

    FILES are such files, or folders with some. A run is named as MACE names its model.

    \b
    Example:
      atomlake ingest mace-log results/ --project losses --lake lakes/demo
    """
    _ingest_logs(target, "mace-log", **options)


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--project", required=True, metavar="NAME", help="Project the runs go to.")
@_log_options
@pass_target
def lightning(target: Target, /, **options: Any) -> None:
    """Training runs of Lightning, as of NequIP, from metrics.csv.

    FILES are such files, or folders with some. A run is named after its folders, NAME/version_0.

    \b
    Example:
      atomlake ingest lightning lightning_logs/ --project losses --lake lakes/demo
    """
    _ingest_logs(target, "lightning", **options)
