"""What is missing of a comparison, and what its numbers cannot say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lake.counted import counted
from lake.errors import InvalidInputError
from queries.losses.selection import Selection
from queries.losses.structures import regions_command

if TYPE_CHECKING:
    import polars as pl

NAMED = 6  # models named in one message


def check_coverage(coverage: pl.DataFrame, selection: Selection) -> list[str]:
    """What must be said of structures that are left out; nothing when there are none.

    Parameters
    ----------
    coverage
        The table of that name.

    Raises
    ------
    InvalidInputError
        Something is missing that was not allowed to be, or nothing is left to compare.
    """
    n_selected, n_used = coverage.select("n_selected", "n_used").row(0)
    if n_selected == n_used:
        return []
    missing = list(_missing(coverage, selection))
    what = (
        f"Dataset {selection.dataset!r}: {n_selected - n_used} of the {n_selected} structures "
        f"selected cannot be compared. {' '.join(missing)}"
    )
    if not n_used:
        raise InvalidInputError(
            f"{what} No structure has everything. Expected at least one; compute what is missing, "
            "or leave models out with --model or --group."
        )
    if not selection.is_partial_allowed:
        raise InvalidInputError(
            f"{what} Expected all of them. Compute what is missing, select without them by "
            f"--where, or compare the {n_used} that have everything with --allow-partial."
        )
    return [f"All numbers rest on {n_used} of the {n_selected} structures. {' '.join(missing)}"]


def _missing(coverage: pl.DataFrame, selection: Selection) -> Iterator[str]:
    first = coverage.row(0, named=True)
    n_selected = first["n_selected"]
    if first["n_with_forces"] < n_selected:
        yield (
            f"Without reference forces in the label set {selection.label_set!r}: "
            f"{n_selected - first['n_with_forces']}."
        )
    if first["n_with_regions"] < n_selected:
        yield (
            f"Without regions of the scheme {selection.scheme}: "
            f"{n_selected - first['n_with_regions']} ({regions_command(selection)})."
        )
    commands = {
        "n_missing": ("not predicted", "atomlake compute predict --dataset {} {}"),
        "n_failed": ("failed", "atomlake compute retry --failed --dataset {} {}"),
        "n_without_forces": ("predicted without forces", ""),
    }
    for column, (what, command) in commands.items():
        models = [row for row in coverage.iter_rows(named=True) if row[column]]
        if not models:
            continue
        said = ", ".join(f"{row[column]} by {row['model']}" for row in models[:NAMED])
        more = (
            f" and more by {counted(len(models) - NAMED, 'other')}" if len(models) > NAMED else ""
        )
        options = " ".join(f"--model {row['model']}" for row in models)
        how = f": {command.format(selection.dataset, options)}" if command else ""
        yield f"{what.capitalize()}: {said}{more}{how}."
