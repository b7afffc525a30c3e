"""`atomlake compute regions`."""

from __future__ import annotations

import sys
from typing import Any

import click

from compute.regions.radii import Radii
from compute.request_options import COMMIT_EVERY, WHERE
from lake.commands.printing import print_json
from lake.commands.target import Target, pass_target
from lake.errors import InvalidInputError
from lake.reader import Reader

_DEFAULT = Radii()


@click.command()
@click.option("--dataset", "datasets", multiple=True, required=True, help="May be repeated.")
@click.option(
    "--scheme",
    "family",
    required=True,
    metavar="[legacy|sites]",
    help="legacy: where the coordination stands out. sites: empty, shared and wrongly held sites "
    "of a lattice.",
)
@WHERE
@click.option(
    "--model-cutoff",
    type=float,
    default=_DEFAULT.model_cutoff,
    show_default=True,
    metavar="Å",
    help="Of three regions, the bulk begins here: a model sees no defect beyond its cutoff.",
)
@click.option(
    "--core-atoms",
    type=int,
    default=_DEFAULT.core_atoms,
    show_default=True,
    help="Of three regions, so many atoms nearest to each defect are its core.",
)
@click.option(
    "--defect",
    type=float,
    default=_DEFAULT.defect,
    show_default=True,
    help="Of two regions, the defect ends here, in first-shell radii.",
)
@click.option(
    "--bulk",
    type=float,
    default=_DEFAULT.bulk,
    show_default=True,
    help="Of two regions, the bulk begins here, in first-shell radii.",
)
@click.option(
    "--lattice",
    metavar="TYPE[:a[:c]]",
    help="sites: bcc, fcc, hcp, sc or diamond; with constants in Å, oriented as ASE builds it.  "
    "[default: found in each structure]",
)
@click.option(
    "--reference",
    metavar="FILE",
    help="sites: a crystal without defects, or DATASET:STRUCTURE_ID of one in the lake.",
)
@click.option("--replace", is_flag=True, help="Take out regions with other parameters before.")
@click.option("--workers", type=int, help="Most processes.  [default: one per core]")
@COMMIT_EVERY
@pass_target
def regions(target: Target, /, **options: Any) -> None:
    """Say of every atom whether it is near a defect or far from it.

    Each scheme gives two labels: legacy-2 and legacy-3, or sites-2 and sites-3. What is there
    already is left alone.

    Example: atomlake compute regions --dataset cu --scheme sites
    """
    from compute.regions.progress import progress_shown
    from compute.regions.running import compute_regions

    lake = target.open()
    request = _request(lake.reader, options)
    with progress_shown(is_wanted=not target.as_json) as progress:
        report = compute_regions(lake, request, progress)
    if target.as_json:
        print_json(report.as_dict())
    else:
        click.echo(report.text())
    if report.n_left:
        sys.exit(1)


def _request(reader: Reader, options: dict[str, Any]) -> Any:
    """What the options ask for, as `compute.regions.running` takes it."""
    from compute.regions.request import RegionRequest, available_cores
    from compute.regions.scheme import make_scheme

    radii = Radii(
        options["defect"], options["bulk"], options["core_atoms"], options["model_cutoff"]
    )
    reference = _reference(reader, options["lattice"], options["reference"])
    return RegionRequest(
        options["datasets"],
        make_scheme(options["family"], radii, reference),
        options["where"],
        available_cores() if options["workers"] is None else options["workers"],
        options["commit_every"],
        replaces=options["replace"],
    )


def _reference(reader: Reader, lattice: str | None, reference: str | None) -> Any:
    from compute.regions.reference_input import read_lattice, read_reference

    if lattice is not None and reference is not None:
        raise InvalidInputError(
            "--lattice and --reference are both given, and each says where the sites are. Expected "
            "one of them. Leave the other out."
        )
    if reference is not None:
        return read_reference(reader, reference)
    return None if lattice is None else read_lattice(lattice)
