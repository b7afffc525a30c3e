"""`atomlake compute`: predictions, latents and regions into the lake."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, cast

import click

from lake.commands.printing import print_frame, print_json
from lake.commands.target import Target, pass_target
from lake.errors import InvalidInputError

Command = TypeVar("Command", bound=Callable[..., Any])
_SIZES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


_ELSEWHERE = {
    "regions": "compute.regions.command",
    "submit": "compute.slurm.command",
}


class Compute(click.Group):
    """The verbs of compute; some are loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help."""
        return [*self.commands, *_ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb called `cmd_name`."""
        if cmd_name in _ELSEWHERE:
            command: click.Command = getattr(import_module(_ELSEWHERE[cmd_name]), cmd_name)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=Compute)
def group() -> None:
    """Compute predictions and latents, in the environment of each model; and regions.

    What is there already is left alone: a job that was stopped or killed goes on where it was when
    the same command is given again, and jobs may overlap.
    """


def _options(command: Command) -> Command:
    """The options of every verb that computes."""
    for decorator in reversed(
        (
            click.option("--where", metavar="SQL", help="Condition over structures and labels."),
            click.option(
                "--latents-dtype",
                type=click.Choice(["float32", "float16"]),
                default="float32",
                show_default=True,
                help="What latents are kept as.",
            ),
            click.option(
                "--device",
                default="auto",
                show_default=True,
                help="auto, cpu, cuda (every GPU there is) or cuda:n.",
            ),
            click.option(
                "--dtype",
                type=click.Choice(["float32", "float64"]),
                help="Type to compute in.  [default: the model's]",
            ),
            click.option(
                "--shard", metavar="K/N", default="1/1", help="Only part K of N of the structures."
            ),
            click.option(
                "--max-edges", type=int, help="Largest batch, in edges.  [default: found out]"
            ),
            click.option("--batch", type=int, help="Most structures of a batch."),
            click.option("--max-memory", metavar="SIZE", help="Most memory of a worker, e.g. 16G."),
            click.option(
                "--commit-every",
                type=float,
                default=60.0,
                show_default=True,
                metavar="SECONDS",
                help="A job that is killed loses at most so much.",
            ),
        )
    ):
        command = decorator(command)
    return command


_DATASETS = click.option(
    "--dataset", "datasets", multiple=True, required=True, help="Dataset. May be repeated."
)
_MODELS = click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="GLOB",
    help="Name of a model or a pattern, e.g. 'mace-*'. May be repeated.",
)


def _run(target: Target, task: str, **options: Any) -> None:
    """Compute, print the report, and end with code 1 if something failed."""
    from compute.jobs.choices import Limits, Shard
    from compute.jobs.progress import progress_shown
    from compute.jobs.request import Request
    from compute.jobs.running import run

    limits = Limits(
        options.pop("max_edges"),
        options.pop("batch"),
        _bytes(options.pop("max_memory")),
        options.pop("commit_every"),
    )
    request = Request(
        cast(Any, task), shard=Shard.parse(options.pop("shard")), limits=limits, **options
    )
    with progress_shown(is_wanted=not target.as_json) as progress:
        report = run(target.open(), request, progress)
    if target.as_json:
        print_json(report.as_dict())
    else:
        click.echo(report.text())
    if report.total("failed") or report.is_stopped:
        raise SystemExit(1)


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    number, unit = text.upper().removesuffix("B").removesuffix("I"), 1
    if number and number[-1] in _SIZES:
        unit, number = _SIZES[number[-1]], number[:-1]
    if not number.isascii() or not number.isdigit():
        raise InvalidInputError(f"--max-memory {text}: expected a size such as 16G or 800M.")
    return int(number) * unit


@group.command()
@_DATASETS
@_MODELS
@click.option(
    "--latents",
    type=click.Choice(["none", "last", "all"]),
    default="none",
    show_default=True,
    help="Layers of latents to keep.",
)
@_options
@pass_target
def predict(target: Target, /, **options: Any) -> None:
    """Energies, forces, stress where periodic, and latents, in one forward pass.

    Example: atomlake compute predict --dataset cu --model 'mace-*' --latents last
    """
    _run(target, "predict", **options)


@group.command()
@_DATASETS
@_MODELS
@click.option(
    "--latents",
    "--layers",
    type=click.Choice(["last", "all"]),
    default="last",
    show_default=True,
    help="Layers to keep.",
)
@_options
@pass_target
def latents(target: Target, /, **options: Any) -> None:
    """Latents alone: no forces are computed.

    Example: atomlake compute latents --dataset cu --model 'mace-*' --latents-dtype float16
    """
    _run(target, "latents", **options)


@group.command()
@click.option("--failed", is_flag=True, required=True, help="What failed earlier.")
@click.option(
    "--dataset", "datasets", multiple=True, help="Dataset. May be repeated.  [default: all]"
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="GLOB",
    help="Name of a model or a pattern. May be repeated.  [default: all]",
)
@click.option(
    "--latents",
    type=click.Choice(["none", "last", "all"]),
    default="none",
    show_default=True,
    help="Layers of latents to keep.",
)
@_options
@pass_target
def retry(
    target: Target,
    /,
    failed: bool,
    datasets: tuple[str, ...],
    models: tuple[str, ...],
    **options: Any,
) -> None:
    """Compute again what failed; an answer takes the place of the reason.

    Example: atomlake compute retry --failed --model 'mace-*'
    """
    if not datasets:
        files = target.open().reader.files("structures")
        datasets = tuple(sorted({file.partition["dataset"] for file in files}))
    options |= {"datasets": datasets, "models": models or ("*",)}
    _run(target, "predict", only_failed=failed, **options)


@group.command()
@click.option("--dataset", "datasets", multiple=True, help="Dataset. May be repeated.")
@click.option("--model", "models", multiple=True, metavar="GLOB", help="Model or pattern.")
@pass_target
def status(target: Target, /, datasets: tuple[str, ...], models: tuple[str, ...]) -> None:
    """Structures done, failed and missing, per dataset and model.

    Example: atomlake compute status --dataset cu
    """
    from compute.jobs.coverage import coverage

    print_frame(target, coverage(target.open().reader, datasets, models))
