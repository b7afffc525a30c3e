"""`atomlake ingest`: files into the lake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from ingest.command_options import files, scheduler, strict, structure_options, units, workers
from ingest.printing import print_report
from ingest.run_commands import lightning, mace_log, wandb
from lake.commands.target import Target, pass_target
from lake.errors import InvalidInputError


@click.group()
def group() -> None:
    """Read files into the lake.

    Frames that cannot be taken go to the table 'rejects' with place and reason, the others go in,
    and the exit code is 1. A file read before with the same options is left alone.
    """


for command_of_runs in (wandb, mace_log, lightning):
    group.add_command(command_of_runs)


def _run(target: Target, importer: str, **options: Any) -> None:
    """Ingest structures and print the report."""
    from ingest.api import ingest

    def run(lake: Any, files: Sequence[str], **more: Any) -> Any:
        return ingest(lake, importer, files, **more)

    _report(target, run, **options)


def _report(target: Target, ingest: Callable[..., Any], **options: Any) -> None:
    """Ingest, print the report, and end with code 1 if a frame was rejected."""
    from ingest.progress import progress_shown
    from ingest.tasks.executors import available_cores

    key_map = _key_map(options.pop("key_map"))
    workers = options.pop("workers")
    with progress_shown(is_wanted=not target.as_json) as progress:
        report = ingest(
            target.open(),
            options.pop("files"),
            key_map=key_map,
            workers=available_cores() if workers is None else workers,
            storage_options=target.storage_options,
            progress=progress,
            **options,
        )
    print_report(target, report)


def _key_map(texts: Sequence[str]) -> dict[str, str]:
    key_map: dict[str, str] = {}
    for label, key in (_pair("--map", text) for text in texts):
        if key_map.setdefault(label, key) != key:
            raise InvalidInputError(
                f"--map gives {label} twice: {key_map[label]} and {key}. Give one."
            )
    return key_map


def _pair(option: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InvalidInputError(f"{option} {text}: expected NAME=VALUE, e.g. forces=REF_forces.")
    return key, value


@group.command()
@structure_options
@pass_target
def extxyz(target: Target, /, **options: Any) -> None:
    """Extended XYZ, plain or compressed (.gz, .xz, .zst, .bz2), one frame or millions.

    FILES are paths, patterns, URLs of object stores, or - for standard input.

    Example: atomlake ingest extxyz 'runs/*.xyz.gz' --dataset cu --map forces=REF_forces
    """
    _run(target, "extxyz", **options)


@group.command()
@structure_options
@pass_target
def cif(target: Target, /, **options: Any) -> None:
    """Crystallographic information files, one structure or many in each.

    Symmetry is expanded to all atoms of the cell; tags outside loops become info keys.

    Example: atomlake ingest cif 'cifs/*.cif' --dataset llzo --name-pattern '_T(?P<T>[0-9]+)_'
    """
    _run(target, "cif", **options)


@group.command()
@click.option(
    "--format", "file_format", required=True, help="Name ASE has for the format, e.g. vasp-out."
)
@structure_options
@pass_target
def ase(target: Target, /, file_format: str, **options: Any) -> None:
    """Any other structure format ASE reads.

    Example: atomlake ingest ase OUTCAR --format vasp-out --dataset cu
    """
    _run(target, "ase-cif" if file_format == "cif" else file_format, **options)


@group.command()
@files
@click.option("--model", required=True, help="Registered model that made them.")
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    help="Dataset to match with; may be given again.  [default: all]",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["extxyz", "json"]),
    help="Format of the files.  [default: json where names end so, else extxyz]",
)
@click.option(
    "--map",
    "key_map",
    multiple=True,
    metavar="LABEL=KEY",
    help="Key that holds a predicted energy, forces, stress or virial. Empty: there is none.",
)
@units
@workers
@scheduler
@strict
@pass_target
def predictions(target: Target, /, **options: Any) -> None:
    """Predictions made elsewhere, in extended XYZ or a JSON cache, plain or compressed.

    Matched to structures by geometry or, without positions, by reference values; never by place.

    Example: atomlake ingest predictions eval.xyz --model mace-s1 --map forces=MACE_forces
    """
    from ingest.predictions.api import ingest_predictions

    _report(target, ingest_predictions, **options)
