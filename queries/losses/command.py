"""`atomlake query losses`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lake.commands.printing import print_frame
from lake.commands.target import Target, pass_target
from lake.commands.version_type import version as version_type
from queries.answers.options import folder_options

if TYPE_CHECKING:
    import polars as pl

MEV = 1000  # in an eV


@click.command()
@click.option("--dataset", required=True, help="Dataset of the structures.")
@click.option("--label-set", help="Whose forces are the reference.  [default: the only one]")
@click.option("--where", metavar="SQL", help="Condition over structures and labels.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="The first N, in the order of files."
)
@click.option(
    "--scheme",
    type=click.Choice(["legacy", "sites"]),
    default="legacy",
    show_default=True,
    help="What says which atoms are near a defect.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="GLOB",
    help="Name of a model or a pattern. May be repeated.  [default: all with a group]",
)
@click.option(
    "--group", "losses", multiple=True, metavar="LOSS", help="Group of models. May be repeated."
)
@click.option("--seed", "seeds", multiple=True, type=int, help="Seed of models. May be repeated.")
@click.option("--at", type=version_type, help="Version or tag to ask.  [default: the newest]")
@click.option(
    "--allow-partial", is_flag=True, help="Compare the structures that everything is known of."
)
@click.option(
    "--rng-seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of permutation tests and bootstrap.",
)
@folder_options
@pass_target
def losses(
    target: Target,
    /,
    at: int | str | None,
    folder: Path,
    name: str,
    figures: bool,
    report: bool,
    **options: Any,
) -> None:
    """Compare losses: which gives better forces near defects, and keeps the bulk.

    DIR gets the tables, the exact SQL, a manifest of what they were made from, figures and report.

    \b
    Example:
      atomlake query losses --dataset cu --scheme sites --report -o losses --lake lakes/demo
    """
    from queries.answers.folder import check_drawing, check_folder
    from queries.losses.comparison import compare
    from queries.losses.files import write_comparison

    check_drawing(figures=figures, report=report)
    check_folder(folder)
    lk = target.open()
    comparison = compare(lk if at is None else lk.at(at), **options)
    for warning in comparison.warnings:
        click.echo(f"Note: {warning}", err=True)
    files = write_comparison(comparison, folder, name, figures=figures, report=report)
    errors = comparison.tables["errors_by_loss"]
    print_frame(target, errors if target.as_json else summary(errors))
    click.echo(f"{len(files)} files in {folder}", err=True)


def summary(errors: pl.DataFrame) -> pl.DataFrame:
    """The few numbers of the table errors_by_loss that fit a terminal, in meV/Å."""
    import polars as pl

    mean = pl.col("mae_mean_over_structures") * MEV
    spread = pl.col("mae_std_over_seeds") * MEV
    is_of_three = pl.col("scheme").str.ends_with("-3").fill_null(value=False)
    return errors.filter(~is_of_three).select(
        "loss",
        "region",
        "n_structures",
        "n_seeds",
        "n_atoms",
        mean.round(2).alias("mae_mev_per_angstrom"),
        spread.round(2).alias("std_over_seeds"),
    )
