"""`atomlake compute submit`: a compute command as an array of Slurm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from compute.slurm.array_job import GRACE_S, ArrayJob
from compute.slurm.options import OPTIONS
from lake.commands.printing import print_done, print_json
from lake.commands.target import Target, pass_target
from lake.counted import counted
from lake.errors import InvalidInputError

if TYPE_CHECKING:
    from compute.jobs.extent import Extent
    from lake.lake import Lake

Command = TypeVar("Command", bound=Callable[..., Any])


def _options_of_slurm(command: Command) -> Command:
    for option in reversed(OPTIONS.values()):
        click.option(f"--{option.name}", metavar=option.metavar, help=option.help)(command)
    return command


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--slurm", is_flag=True, required=True, help="Submit to Slurm.")
@click.option("--shards", type=int, required=True, metavar="N", help="Jobs to split it into.")
@click.option("--at-once", type=int, metavar="N", help="Most shards that run at once.")
@_options_of_slurm
@click.option(
    "--setup", multiple=True, metavar="LINE", help="Line of bash to run first. May be repeated."
)
@click.option(
    "--sbatch",
    "further",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="Any other option of sbatch, without its dashes. May be repeated.",
)
@click.option("--name", help="Name of the job and its logs.  [default: atomlake-VERB]")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="slurm",
    show_default=True,
    help="Where the script and the logs go.",
)
@click.option(
    "--grace",
    "grace_s",
    type=int,
    default=GRACE_S,
    show_default=True,
    metavar="SECONDS",
    help="How long before the time limit a shard commits what it has and ends.",
)
@click.option(
    "--requeue/--no-requeue",
    "is_requeued",
    default=True,
    show_default=True,
    help="Start a shard anew that lost its node.",
)
@click.option("--dry-run", is_flag=True, help="Print the script and submit nothing.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="-- predict|latents|retry ...")
@pass_target
def submit(target: Target, /, words: tuple[str, ...], dry_run: bool, **options: Any) -> None:
    """Run a compute command as an array of Slurm jobs, one per shard.

    After -- stands the command with its options, as after atomlake compute. It is checked now, and
    nothing is submitted where nothing is missing. What is in the lake already is left alone, so
    arrays may overlap, and be submitted again when some shards ended early.

    \b
    Example:
      atomlake compute submit --slurm --shards 20 --partition gpu --gpus 1 --time 12:00:00 \\
          --mem 50G --setup 'module load cuda' -- predict --dataset cu --model 'mace-*'
    """
    from compute.slurm.shard_command import shard_extent

    lake = target.open()
    extent = shard_extent(lake, words)
    job = _job(lake, target, words, options)
    if dry_run:
        _print_script(target, job, extent)
    elif extent.n_missing:
        _submit(target, job, extent)
    else:
        text = f"Nothing was submitted. {extent.nothing_text()}"
        print_done(target, text, job_id=None, n_missing=0)


def _job(lake: Lake, target: Target, words: tuple[str, ...], options: dict[str, Any]) -> ArrayJob:
    from compute.slurm.shard_command import shard_command

    options.pop("slurm")
    name = options.pop("name")
    return ArrayJob(
        command=shard_command(lake, target.storage_options, words),
        n_shards=options.pop("shards"),
        folder=_folder(lake.storage.uri, options.pop("folder")),
        name=f"atomlake-{words[0]}" if name is None else name,
        options=_slurm_values(options),
        **options,
    )


def _slurm_values(options: dict[str, Any]) -> Mapping[str, str]:
    """The options Slurm has as well, taken out of all that were given."""
    given = {name: options.pop(name.replace("-", "_")) for name in OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


def _folder(uri: str, folder: Path) -> Path:
    """The folder of the logs, absolute.

    Raises
    ------
    InvalidInputError
        It is in the lake.
    """
    folder = folder.expanduser().absolute()
    if folder.resolve().is_relative_to(Path(uri).resolve()):
        raise InvalidInputError(
            f"--folder {folder} is in the lake {uri}, which holds nothing but data. Expected a "
            "place outside. Choose another folder."
        )
    return folder


def _print_script(target: Target, job: ArrayJob, extent: Extent) -> None:
    from compute.slurm.script import script_text

    text = script_text(job)
    facts = {"logs": str(job.logs), "n_shards": job.n_shards, "n_missing": extent.n_missing}
    if target.as_json:
        print_json({"script_text": text} | facts)
    else:
        click.echo(text, nl=False)
        click.echo(f"Missing: {counted(extent.n_missing, 'result')}.", err=True)


def _submit(target: Target, job: ArrayJob, extent: Extent) -> None:
    from compute.slurm.submission import submit as submit_job

    done = submit_job(job)
    print_done(
        target,
        f"Submitted job {done.job_id} with {counted(job.n_shards, 'shard')}. Missing: "
        f"{counted(extent.n_missing, 'result')}.\n"
        f"Script: {done.script}\nLogs: {done.logs}",
        job_id=done.job_id,
        n_shards=job.n_shards,
        n_missing=extent.n_missing,
        script=str(done.script),
        logs=done.logs,
    )
