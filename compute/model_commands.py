"""`atomlake model`: the models of a lake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from lake.commands.printing import print_done, print_json, print_records, print_table
from lake.commands.target import Target, pass_target
from lake.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

    from compute.models.model import Model
    from lake.reader import Reader


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
@click.option("--run", "run_id", metavar="ID", help="Training run it came from.")
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

    lk = target.open()
    draft = draft_model(
        name, given.pop("engine"), given.pop("path"), _options(options), environment
    )
    model, is_new = register(lk, replace(draft, **given))
    sentence = f"Registered {name}." if is_new else f"{name} is registered already."
    print_done(target, f"{sentence} {_facts(model)}", **_record(model), is_new=is_new)
    for note in _notes(lk.reader, model):
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

    models = list_models(target.open().reader)
    if target.as_json:
        print_json([_record(model) for model in models])
    elif models:
        print_records(target, [_row(model) for model in models])
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

    reader = target.open().reader
    record = _record(find_model(reader, name))
    coverage = _touched(reader, name)
    if target.as_json:
        print_json(record | {"datasets": coverage.to_dicts()})
        return
    width = max(map(len, record))
    for key, value in record.items():
        click.echo(f"{key:{width}}  {_text(value)}")
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
    print_done(target, f"{name} is loaded from {model.path}.", **_record(model))


@group.command()
@click.argument("name")
@click.option("--group", help="What members of an ensemble share, e.g. the loss.")
@click.option("--seed", help="Random seed of the training.")
@click.option("--parent", metavar="NAME", help="Model this one was fine-tuned from.")
@click.option("--env", "environment", metavar="NAME", help="Environment it runs in.")
@click.option("--run", "run_id", metavar="ID", help="Training run it came from.")
@pass_target
def edit(target: Target, /, name: str, **given: str | None) -> None:
    """Change what was said of the model NAME. An empty value takes one away.

    \b
    Example:
      atomlake model edit mace-s1 --group forces --seed 1 --lake lakes/demo
    """
    from compute.models.changes import edit_model

    values: dict[str, object] = {k: v or None for k, v in given.items() if v is not None}
    if not values:
        raise click.UsageError(
            "Nothing to change. Expected --group, --seed, --parent, --env, --run."
        )
    if given["seed"]:
        values["seed"] = _seed(given["seed"])
    model = edit_model(target.open(), name, values)
    print_done(target, f"{name}: {_said(model)}.", **_record(model))


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


def _touched(reader: Reader, name: str) -> pl.DataFrame:
    """The coverage of the datasets in which a model has computed something."""
    import polars as pl

    from compute.jobs.coverage import coverage

    if not reader.files("structures"):
        return pl.DataFrame()
    touched = coverage(reader, models=[name]).filter(
        (pl.col("done") > 0) | (pl.col("failed") > 0) | (pl.col("latents") > 0)
    )
    return touched.drop("model")


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(
            f"--seed {text}: expected a whole number, or nothing to take it away."
        ) from None


def _options(texts: Sequence[str]) -> dict[str, object]:
    """The settings ``KEY=VALUE``, values being JSON or else text."""
    options: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise InvalidInputError(f"--option {text}: expected KEY=VALUE, e.g. head=dft.")
        if key in options:
            raise InvalidInputError(f"--option gives {key} twice. Give one.")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def _record(model: Model) -> dict[str, object]:
    """What is known of a model, in the words of the table."""
    return {"model" if key == "name" else key: value for key, value in vars(model).items()}


def _row(model: Model) -> dict[str, object]:
    """A model's line in the list."""
    return {
        "model": model.name,
        "engine": model.engine,
        "group": model.group,
        "seed": model.seed,
        "environment": model.environment or "here",
        "r_max [Å]": model.r_max,
        "dtype": model.dtype,
        "elements": _elements(model),
        "path": model.path,
    }


def _facts(model: Model) -> str:
    """What its file says of a model, in a sentence."""
    facts = {
        "elements": _elements(model),
        "cutoff": None if model.r_max is None else f"{model.r_max:g} Å",
        "weights": model.dtype,
        "parameters": None if model.n_parameters is None else f"{model.n_parameters:,}",
        "latents per layer": ", ".join(map(str, model.layers)) or "none",
    }
    return "; ".join(f"{k} {v}" for k, v in facts.items() if v is not None).capitalize() + "."


def _elements(model: Model) -> str:
    return "any" if model.elements is None else " ".join(model.elements)


def _said(model: Model) -> str:
    """What a user said of a model."""
    from compute.models.registration import GIVEN

    return ", ".join(f"{name} {_text(getattr(model, name))}" for name in GIVEN)


def _text(value: object) -> str:
    """A value in full; lists with spaces, objects as JSON."""
    match value:
        case None:
            return "NULL"
        case tuple():
            return " ".join(map(str, value)) or "none"
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _notes(reader: Reader, model: Model) -> Iterator[str]:
    """What a user may want to mend: names that stand for nothing in the lake."""
    from compute.models.catalogue import list_models

    if model.parent is not None and model.parent not in {m.name for m in list_models(reader)}:
        yield f"The parent {model.parent} is not registered; it is kept as text."
    if model.run_id is not None:
        runs = reader.scan("runs").select("run_id").collect()["run_id"]
        if model.run_id not in runs:
            yield f"The run {model.run_id} is not in the lake; it is kept as text."
