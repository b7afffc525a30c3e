"""The models of an ensemble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from lake.errors import InvalidInputError, NotFoundError
from lake.reader import Reader
from queries.ood.selection import Member

FIELDS = ("model", "model_id", "sha256", "group", "seed", "parent")


def choose_members(
    reader: Reader, models: Sequence[str], groups: Sequence[str]
) -> tuple[str, tuple[Member, ...]]:
    """What the ensemble is called, and its members in order of name.

    Parameters
    ----------
    models
        Patterns of names; a model that fits any is taken.
    groups
        Groups; with patterns, models that fit both are taken.

    Raises
    ------
    NotFoundError
        A pattern fits no model, or there is no such group.
    InvalidInputError
        Nothing is named, or less than two models are.
    """
    models, groups = ([each] if isinstance(each, str) else each for each in (models, groups))
    rows = reader.scan("models").select(FIELDS).sort("model").collect()
    known = [Member(**row) for row in rows.iter_rows(named=True)]
    if not models and not groups:
        raise InvalidInputError(
            f"No ensemble is named. Expected --group or --models. {_groups_there_are(known)}"
        )
    for pattern in models:
        if not any(fnmatchcase(member.model, pattern) for member in known):
            raise NotFoundError.among("model", pattern, [member.model for member in known])
    for group in groups:
        if all(member.group != group for member in known):
            groups_there = {member.group for member in known if member.group is not None}
            raise NotFoundError.among("group of models", group, groups_there)
    chosen = tuple(
        member
        for member in known
        if (not models or any(fnmatchcase(member.model, pattern) for pattern in models))
        and (not groups or member.group in groups)
    )
    name = ", ".join([*groups, *models])
    if len(chosen) < 2:
        there = f"only {chosen[0].model}" if chosen else "none"
        raise InvalidInputError(
            f"The ensemble {name}: {there}. Expected at least two models, because what is measured "
            f"is where they disagree. {_groups_there_are(known)}"
        )
    return name, chosen


def caveats_of_members(members: Sequence[Member]) -> Iterator[str]:
    """Parents that differ or are unknown, and seeds that are the same."""
    unknown = [member.model for member in members if member.parent is None]
    parents = sorted({member.parent for member in members if member.parent is not None})
    if unknown:
        yield (
            f"The parent of {', '.join(unknown)} is unknown. Latents of different models can be "
            "compared only where all were fine-tuned from one parent, so that they share a basis. "
            "Say which with: atomlake model edit NAME --parent PARENT"
        )
    if len(parents) > 1:
        said = ", ".join(f"{m.model} from {m.parent}" for m in members if m.parent is not None)
        yield (
            f"The members were fine-tuned from {len(parents)} parents: {said}. Their latents do "
            "not share a basis, and the variance says little."
        )
    checksums = Counter(member.sha256 for member in members)
    same = [member.model for member in members if checksums[member.sha256] > 1]
    if same:
        yield f"{', '.join(same)} come from one file: they agree whatever the structure."


def _groups_there_are(known: Sequence[Member]) -> str:
    counts = Counter(member.group for member in known if member.group is not None)
    said = ", ".join(f"{group} ({n})" for group, n in sorted(counts.items()))
    return f"Groups of models: {said}." if said else "No model has a group yet."
