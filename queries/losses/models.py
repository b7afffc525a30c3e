"""Which models a comparison is about: of each loss one model a seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby

from lake.errors import InvalidInputError, NotFoundError
from lake.reader import Reader
from queries.losses.selection import Selection

_LOSS_AND_SEED = re.compile(r"(.+?)[_-](?:model|seed|run)?[_-]?(\d+)")  # MSE_model0, RMCE_run1


@dataclass(frozen=True)
class Candidate:
    """A model, as it was registered."""

    name: str
    loss: str | None
    seed: int | None


def choose_models(reader: Reader, selection: Selection) -> tuple[list[str], list[str]]:
    """Names of the models to compare, and what must be said of those left out.

    Without patterns, every model that has a loss and predictions of the dataset is compared.

    Raises
    ------
    NotFoundError
        A pattern fits no model, or there is no such loss.
    InvalidInputError
        A model named has no loss, none is left, or two have one loss and one seed.
    """
    columns = ("model", "group", "seed")
    rows = reader.scan("models").select(columns).sort("model").collect().rows()
    registered = [Candidate(*row) for row in rows]
    warnings: list[str] = []
    if selection.models:
        chosen = _fitting(registered, selection.models)
        _check_losses(chosen)
    else:
        chosen, warnings = _predicting(reader, selection, registered)
    chosen = _of_losses(registered, chosen, selection.losses)
    if selection.seeds and chosen:
        chosen = _of_seeds(chosen, selection.seeds)
    if not chosen:
        raise InvalidInputError(
            f"Dataset {selection.dataset!r}: there is no model to compare. Expected models with a "
            "group and predictions of it. 'atomlake info' lists predictions; give a model its "
            "loss and seed with: atomlake model edit NAME --group LOSS --seed N"
        )
    _check_seeds(chosen)
    return [model.name for model in chosen], warnings


def edit_command(name: str) -> str:
    """The command that gives a model its loss and seed, as its name has them if it does.

    Examples
    --------
    >>> edit_command("TailHuber_seed2")
    'atomlake model edit TailHuber_seed2 --group TailHuber --seed 2'
    >>> edit_command("emt")
    'atomlake model edit emt --group LOSS --seed N'
    """
    match = _LOSS_AND_SEED.fullmatch(name)
    loss, seed = match.groups() if match is not None else ("LOSS", "N")
    return f"atomlake model edit {name} --group {loss} --seed {seed}"


def _fitting(registered: Sequence[Candidate], patterns: Sequence[str]) -> list[Candidate]:
    for pattern in patterns:
        if not any(fnmatchcase(model.name, pattern) for model in registered):
            raise NotFoundError.among("model", pattern, [model.name for model in registered])
    return [m for m in registered if any(fnmatchcase(m.name, pattern) for pattern in patterns)]


def _predicting(
    reader: Reader, selection: Selection, registered: Sequence[Candidate]
) -> tuple[list[Candidate], list[str]]:
    files = reader.files("predictions", dataset=selection.dataset)
    names = {file.partition["model"] for file in files}
    there = [model for model in registered if model.name in names]
    without = [model.name for model in there if model.loss is None]
    warnings = []
    if without and not selection.losses:
        warnings.append(
            f"Left out, because no loss is known: {', '.join(without)}. "
            f"Say which with: {edit_command(without[0])}"
        )
    return [model for model in there if model.loss is not None], warnings


def _check_losses(chosen: Sequence[Candidate]) -> None:
    without = [model.name for model in chosen if model.loss is None]
    if without:
        raise InvalidInputError(
            f"No loss is known of {', '.join(map(repr, without))}. Expected the group of every "
            f"model that is compared. Say it with: {edit_command(without[0])}, or name other "
            "models."
        )


def _of_losses(
    registered: Sequence[Candidate], chosen: list[Candidate], losses: Sequence[str]
) -> list[Candidate]:
    known = {model.loss for model in registered if model.loss is not None}
    for loss in losses:
        if loss not in known:
            raise NotFoundError.among("group of models", loss, known)
    return [model for model in chosen if model.loss in losses] if losses else chosen


def _of_seeds(chosen: list[Candidate], seeds: Sequence[int]) -> list[Candidate]:
    known = {model.seed for model in chosen if model.seed is not None}
    if missing := set(seeds) - known:
        raise NotFoundError(
            f"No model to compare has the seed {min(missing)}. There are: "
            f"{', '.join(map(str, sorted(known))) or 'none'}. Choose among them, or give a model "
            "its seed with: atomlake model edit NAME --seed N"
        )
    return [model for model in chosen if model.seed in seeds]


def _check_seeds(chosen: Sequence[Candidate]) -> None:
    """Refuse models that cannot be told apart as seeds of their loss."""
    by_loss = sorted(chosen, key=lambda model: (model.loss or "", model.name))
    for loss, models in groupby(by_loss, key=lambda model: model.loss):
        members = list(models)
        seeds = [model.seed for model in members]
        if len(members) > 1 and (None in seeds or len(set(seeds)) < len(seeds)):
            said = ", ".join(f"{model.name} (seed {model.seed})" for model in members)
            raise InvalidInputError(
                f"The models of the loss {loss!r} are not one a seed: {said}. Expected another "
                "seed for each. Give it with: atomlake model edit NAME --seed N, or choose with "
                "--model and --seed."
            )
