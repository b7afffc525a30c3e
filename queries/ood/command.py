"""`atomlake query ood`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lake.commands.printing import print_frame
from lake.commands.target import Target, pass_target
from lake.commands.version_type import version as version_type
from queries.answers.options import folder_options
from queries.ood.choosing import DEFAULT_TOP, Choice
from queries.ood.selection import DEFAULT_MEMORY_MIB

if TYPE_CHECKING:
    import polars as pl

    from queries.ood.result import OodScores

SHOWN = 10


def _keys(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Keys, each given alone or several with commas between."""
    return tuple(key.strip() for text in texts for key in text.split(",") if key.strip())


@click.command()
@click.option(
    "--set",
    "sets",
    multiple=True,
    required=True,
    metavar="SET",
    help="DATASET, or NAME=DATASET[:CONDITION]. May be repeated.",
)
@click.option("--models", multiple=True, metavar="GLOB", help="Members, by name or pattern.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="Members, by group.")
@click.option("--baseline", metavar="SET", help="Set that quantiles and distances refer to.")
@click.option("--layer", default="last", show_default=True, help="Layer of the latents.")
@click.option(
    "--score",
    default=Choice.score,
    show_default=True,
    metavar="COLUMN",
    help="What ranks: any score, or a distance from the baseline.",
)
@click.option(
    "--top",
    type=int,
    metavar="N",
    help=f"Choose at most N.  [default: {DEFAULT_TOP}, or all above a cut-off]",
)
@click.option("--above", type=float, metavar="VALUE", help="Choose only scores above a value.")
@click.option(
    "--above-quantile",
    type=float,
    metavar="Q",
    help="Choose only scores above a quantile of the baseline, e.g. 0.95.",
)
@click.option("--at-most", type=int, metavar="N", help="Choose at most N of each kind of --per.")
@click.option(
    "--per",
    multiple=True,
    callback=_keys,
    metavar="KEY[,KEY]",
    help="Columns of metadata, such as keys of the frames, whose values make a kind.",
)
@click.option("--by-element", is_flag=True, help="Scores by element too.")
@click.option("--by-atom", is_flag=True, help="Write the score of every atom.")
@click.option(
    "--distances/--no-distances",
    default=None,
    help="Distances from the baseline, and the variance of members aligned on it.  [default: "
    "where there is one, and scikit-learn]",
)
@click.option(
    "--baseline-models",
    "kept",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Distances by the baseline.npz of an earlier answer, instead of fitting anew.",
)
@click.option(
    "--against", multiple=True, metavar="NAME", help="Saved scores to set beside. May be repeated."
)
@click.option("--save", metavar="NAME", help="Keep the scores in the lake, as NAME.")
@click.option("--at", type=version_type, help="Version or tag to ask.  [default: the newest]")
@click.option(
    "--allow-partial", is_flag=True, help="Score the structures that all members have latents of."
)
@click.option(
    "--memory",
    "memory_mib",
    type=click.IntRange(min=16),
    default=DEFAULT_MEMORY_MIB,
    show_default=True,
    metavar="MIB",
    help="Room for latents.",
)
@folder_options
@pass_target
def ood(target: Target, /, folder: Path, name: str, **options: Any) -> None:
    """Find structures an ensemble disagrees on: the further out of distribution, the more.

    DIR gets ranked tables, the chosen structures as CIF and extxyz, figures, the SQL, a manifest.

    \b
    Example:
      atomlake query ood --set new --group mace --baseline train -o ood --lake lakes/demo
    """
    from queries.ood.asking import ask

    result, files = ask(target.open(), folder, name, **options)
    for warning in result.warnings:
        click.echo(f"Note: {warning}", err=True)
    print_frame(target, result.chosen if target.as_json else summary(result))
    shown = f" The first {SHOWN} stand above." if len(result.chosen) > SHOWN else ""
    click.echo(f"{result.rule} {len(result.chosen):,} were.{shown}", err=True)
    click.echo(f"{len(files)} files in {folder}", err=True)


def summary(result: OodScores) -> pl.DataFrame:
    """The first of the chosen, with what fits a terminal."""
    import polars as pl

    columns = ["rank", "set", "structure_id", "source", "n_atoms", result.score]
    if result.score != "energy_disagreement":
        columns.append("energy_disagreement")
    first = result.chosen.head(SHOWN).select(columns)
    is_float = pl.selectors.float()
    return first.with_columns(is_float.round_sig_figs(4), pl.col("source").str.extract(r"([^/]*)$"))
