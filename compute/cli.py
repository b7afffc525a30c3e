"""`atomlake compute`: predictions, latents and regions into the lake."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from compute.request_options import (
    DATASETS,
    MODELS,
    latents_option,
    make_request,
    request_options,
)
from lake.commands.printing import print_frame, print_json
from lake.commands.target import Target, pass_target

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


def _run(target: Target, verb: str, options: Mapping[str, Any]) -> None:
    """Compute, print the report, and end with code 1 if something failed."""
    from compute.jobs.progress import progress_shown
    from compute.jobs.running import run

    lake = target.open()
    request = make_request(lake, verb, options)
    with progress_shown(is_wanted=not target.as_json) as progress:
        report = run(lake, request, progress)
    if target.as_json:
        print_json(report.as_dict())
    else:
        click.echo(report.text())
    if report.total("failed") or report.is_stopped:
        raise SystemExit(1)


@group.command()
@DATASETS
@MODELS
@latents_option(values=("none", "last", "all"), default="none")
@request_options
@pass_target
def predict(target: Target, /, **options: Any) -> None:
    """Energies, forces, stress where periodic, and latents, in one forward pass.

    Example: atomlake compute predict --dataset cu --model 'mace-*' --latents last
    """
    _run(target, "predict", options)


@group.command()
@DATASETS
@MODELS
@latents_option("--layers", values=("last", "all"), default="last")
@request_options
@pass_target
def latents(target: Target, /, **options: Any) -> None:
    """Latents alone: no forces are computed.

    Example: atomlake compute latents --dataset cu --model 'mace-*' --latents-dtype float16
    """
    _run(target, "latents", options)


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
@latents_option(values=("none", "last", "all"), default="none")
@request_options
@pass_target
def retry(target: Target, /, **options: Any) -> None:
    """Compute again what failed; an answer takes the place of the reason.

    Example: atomlake compute retry --failed --model 'mace-*'
    """
    _run(target, "retry", options)


@group.command()
@click.option("--dataset", "datasets", multiple=True, help="Dataset. May be repeated.")
@click.option("--model", "models", multiple=True, metavar="GLOB", help="Model or pattern.")
@pass_target
def status(target: Target, /, datasets: tuple[str, ...], models: tuple[str, ...]) -> None:
    """Structures done, failed and missing, per dataset and model, with the types of the results.

    Example: atomlake compute status --dataset cu
    """
    from compute.jobs.coverage import coverage

    print_frame(target, coverage(target.open().reader, datasets, models))
