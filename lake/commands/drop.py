"""Take data out of the newest version of a lake."""

from __future__ import annotations

import click

from lake.commands.printing import print_frame
from lake.commands.target import Target, pass_target


@click.group()
def drop() -> None:
    """Take out a dataset, labels, predictions, regions or scores, as a new version.

    Older versions still hold what was dropped. To free the space as well, see atomlake vacuum.
    """


@drop.command()
@click.argument("name")
@pass_target
def dataset(target: Target, name: str) -> None:
    """Take out the dataset NAME with everything that belongs to it.

    \b
    Example:
      atomlake drop dataset cu --lake lakes/demo
    """
    print_frame(target, target.open().drop(dataset=name))


@drop.command()
@click.argument("dataset")
@click.argument("label_set")
@pass_target
def labels(target: Target, dataset: str, label_set: str) -> None:
    """Take the label set LABEL_SET out of DATASET.

    \b
    Example:
      atomlake drop labels cu emt --lake lakes/demo
    """
    print_frame(target, target.open().drop(dataset=dataset, label_set=label_set))


@drop.command()
@click.argument("dataset")
@click.argument("model")
@pass_target
def predictions(target: Target, dataset: str, model: str) -> None:
    """Take the predictions and latents of MODEL out of DATASET.

    \b
    Example:
      atomlake drop predictions cu mace-s1 --lake lakes/demo
    """
    print_frame(target, target.open().drop(dataset=dataset, model=model))


@drop.command()
@click.argument("dataset")
@click.argument("scheme")
@pass_target
def regions(target: Target, dataset: str, scheme: str) -> None:
    """Take the regions of SCHEME out of DATASET; legacy stands for legacy-2 and legacy-3.

    \b
    Example:
      atomlake drop regions cu sites --lake lakes/demo
    """
    print_frame(target, target.open().drop(dataset=dataset, scheme=scheme))


@drop.command()
@click.argument("dataset")
@click.argument("name")
@pass_target
def scores(target: Target, dataset: str, name: str) -> None:
    """Take the scores saved as NAME out of DATASET. See atomlake query ood --save.

    \b
    Example:
      atomlake drop scores cu mace-ood --lake lakes/demo
    """
    print_frame(target, target.open().drop(dataset=dataset, scores=name))
