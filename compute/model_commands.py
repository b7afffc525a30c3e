"""`atomlake model`: the models of a lake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from compute.models.words import parse_options, parse_seed
from lake.commands.printing import print_done, print_json, print_records, print_table
from lake.commands.target import Target, pass_target


@click.group()
def group() -> None:
    """Register models, and say what is known of them.

    Loading a model file runs code from it. Only registered files are loaded, and their sha256 is
    compared with the registered one first. So register only files you trust.
    """


@group.command()
@click.argument("name")
@click.option("--engine", required=True, help="mace, nequip, allegro or ase.")
@click.option(
    "--path",
    required=True,
    metavar="FILE",
    help="The model file; with --engine ase, package.module:Class or file.py:function.",
)
@click.option("--group", help="What members of an ensemble share, e.g. the loss.")
@click.option("--seed", type=int, help="Random seed of the training.")
@click.option("--parent", metavar="NAME", help="Model this one was fine-tuned from.")
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Environment it runs in.  [default: the one that runs atomlake]",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting it is loaded with, e.g. head=dft; VALUE is JSON, or else text. May be repeated.",
)
@click.option("--run", "run_id", metavar="RUN", help="Training run it came from: id or name.")
@pass_target
def add(
    target: Target,
    /,
    name: str,
    options: tuple[str, ...],
    environment: str | None,
    **given: Any,
) -> None:
    """Register the model in FILE under the name NAME.

    Loading FILE runs code from it: register only files you trust. It is loaded now, in its
    environment, to read elements, cutoff and sizes; whenever it is loaded later, its sha256 is
    compared first. Of an ASE calculator, the sha256 is that of the file of its source, not of
    what that imports or opens.

    \b
    Example:
      atomlake model add mace-s1 --engine mace --path s1.model --seed 1 --env mace
      atomlake model add emt --engine ase --path ase.calculators.emt:EMT
    """
    from compute.models.registration import draft_model, register
    from compute.models.showing import facts_sentence, unknown_names

    lk = target.open()
    draft = draft_model(
        name, given.pop("engine"), given.pop("path"), parse_options(options), environment
    )
    model, is_new = register(lk, replace(draft, **given))
    sentence = f"Registered {name}." if is_new else f"{name} is registered already."
    print_done(target, f"{sentence} {facts_sentence(model)}", **model.as_dict(), is_new=is_new)
    for note in unknown_names(lk.reader, model):
        click.echo(note, err=True)


@group.command(name="list")
@pass_target
def list_(target: Target) -> None:
    """List the registered models.

    \b
    Example:
      atomlake model list --lake lakes/demo
    """
    from compute.models.catalogue import list_models
    from compute.models.showing import list_row

    models = list_models(target.open().reader)
    if target.as_json:
        print_json([model.as_dict() for model in models])
    elif models:
        print_records(target, [list_row(model) for model in models])
    else:
        click.echo("There are no models. Register one with: atomlake model add", err=True)


@group.command()
@click.argument("name")
@pass_target
def show(target: Target, name: str) -> None:
    """Show what is known of the model NAME, and what it has computed.

    \b
    Example:
      atomlake model show emt --lake lakes/demo
    """
    from compute.models.catalogue import find_model
    from compute.models.showing import touched_datasets, value_text

    reader = target.open().reader
    record = find_model(reader, name).as_dict()
    coverage = touched_datasets(reader, name)
    if target.as_json:
        print_json(record | {"datasets": coverage.to_dicts()})
        return
    width = max(map(len, record))
    for key, value in record.items():
        click.echo(f"{key:{width}}  {value_text(value)}")
    if not coverage.is_empty():
        click.echo()
        print_table(coverage.columns, coverage.rows())


@group.command()
@click.argument("name")
@click.argument("path")
@pass_target
def move(target: Target, name: str, path: str) -> None:
    """Say that the file of the model NAME lies at PATH now. It must be the same file.

    \b
    Example:
      atomlake model move mace-s1 /scratch/models/s1.model --lake lakes/demo
    """
    from compute.models.changes import move_model

    model = move_model(target.open(), name, path)
    print_done(target, f"{name} is loaded from {model.path}.", **model.as_dict())


@group.command()
@click.argument("name")
@click.option("--group", help="What members of an ensemble share, e.g. the loss.")
@click.option("--seed", help="Random seed of the training.")
@click.option("--parent", metavar="NAME", help="Model this one was fine-tuned from.")
@click.option("--env", "environment", metavar="NAME", help="Environment it runs in.")
@click.option("--run", "run_id", metavar="RUN", help="Training run it came from: id or name.")
@pass_target
def edit(target: Target, /, name: str, **given: str | None) -> None:
    """Change what was said of the model NAME. An empty value takes one away.

    \b
    Example:
      atomlake model edit mace-s1 --group forces --seed 1 --lake lakes/demo
    """
    from compute.models.changes import edit_model
    from compute.models.showing import said_sentence, unknown_names

    values: dict[str, object] = {k: v or None for k, v in given.items() if v is not None}
    if not values:
        raise click.UsageError(
            "Nothing to change. Expected --group, --seed, --parent, --env, --run."
        )
    if given["seed"]:
        values["seed"] = parse_seed(given["seed"])
    lk = target.open()
    model = edit_model(lk, name, values)
    print_done(target, f"{name}: {said_sentence(model)}.", **model.as_dict())
    for note in unknown_names(lk.reader, model):
        click.echo(note, err=True)


@group.command()
@click.argument("name")
@pass_target
def remove(target: Target, name: str) -> None:
    """Take the model NAME out of the lake, if it has computed nothing. Its file stays.

    \b
    Example:
      atomlake model remove emt --lake lakes/demo
    """
    from compute.models.changes import remove_model

    model = remove_model(target.open(), name)
    print_done(target, f"Took out {name}. {model.path} stays.", model=name, path=model.path)
