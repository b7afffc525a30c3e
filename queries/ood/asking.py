"""From what a user asks to an answer in a folder and, where wanted, in the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.names import check_name
from queries.answers.folder import check_drawing, check_folder
from queries.ood.choosing import Choice
from queries.ood.distances import score_with_distances
from queries.ood.files import write_answer
from queries.ood.result import OodScores
from queries.ood.saved import check_saved, save_scores
from queries.ood.selection import DEFAULT_MEMORY_MIB

if TYPE_CHECKING:
    from queries.ood.baseline import BaselineScores

NO_DISTANCES = (
    "No distances from the baseline were measured: scikit-learn is not installed. Install it with: "
    "pip install 'atomlake[ood]', or leave them out with --no-distances."
)
CHOICE = ("score", "top", "above", "above_quantile", "at_most", "per")


def answer(lake: Lake, *, choice: Choice | None = None, **options: Any) -> OodScores:
    """Score and choose, with distances where there is a baseline: the answer, and no files.

    Parameters
    ----------
    choice
        The rule that chooses; or its fields, e.g. ``top=3``, instead.
    **options
        Fields of `queries.ood.choosing.Choice`, and arguments of
        `queries.ood.distances.score_with_distances`.

    Raises
    ------
    InvalidInputError
        Both a rule and fields of one were given, or see `score_with_distances`.
    """
    fields = [name for name in CHOICE if name in options]
    if choice is not None and fields:
        raise InvalidInputError(
            f"choice and {', '.join(fields)}: expected the rule, or its fields. Leave one out."
        )
    pinned = lake.at(lake.version)
    result, measured = score_with_distances(
        pinned, choice=choice or _choice(options), is_mapped=False, **options
    )
    return _with_note(result, measured, options)


def ask(
    lake: Lake,
    folder: Path,
    file_format: str = "csv",
    *,
    at: int | str | None = None,
    figures: bool = True,
    report: bool = False,
    by_atom: bool = False,
    save: str | None = None,
    memory_mib: int = DEFAULT_MEMORY_MIB,
    **options: Any,
) -> tuple[OodScores, list[Path]]:
    """Score, choose, write files and keep the scores; the answer and the files.

    Parameters
    ----------
    folder, file_format, figures, report, by_atom
        See `queries.ood.files.write_answer`.
    at
        Version or tag of the lake to ask; the newest by default.
    save
        Name to keep the scores under.
    **options
        Fields of `queries.ood.choosing.Choice`, and arguments of
        `queries.ood.distances.score_with_distances`.

    Raises
    ------
    InvalidInputError
        Scores of a past version were to be kept, or see `score_with_distances`.
    """
    check_drawing(figures=figures, report=report)
    if options.get("distances") is False and options.get("kept") is not None:
        raise InvalidInputError(
            f"--no-distances and --baseline-models {options['kept']}: expected one of them. Leave "
            "one out."
        )
    if at is not None and save is not None:
        raise InvalidInputError(
            f"--at {at} and --save {save}: expected one of them. Scores are kept in the newest "
            "version of a lake only. Leave one out."
        )
    check_folder(folder)
    if save is not None:
        check_name("table of scores", save)
    asked = lake if at is None else lake.at(at)
    pinned = asked.at(asked.version)  # what is written must be what was scored
    check_saved(pinned.reader, options.get("against", ()))  # now, not when all is scored
    choice = _choice(options)
    result, measured = score_with_distances(
        pinned, choice=choice, memory_mib=memory_mib, is_mapped=figures or report, **options
    )
    result = _with_note(result, measured, options)
    result, files = write_answer(
        pinned.reader,
        result,
        folder,
        file_format,
        measured=measured,
        by_atom=by_atom,
        figures=figures,
        report=report,
        memory_mib=memory_mib,
    )
    if save is not None:
        save_scores(lake, result, save)
    return result, files


def _choice(options: dict[str, Any]) -> Choice:
    """The rule that chooses, taken out of the options."""
    fields = {name: options.pop(name) for name in CHOICE if name in options}
    if "per" in fields:
        keys = fields["per"]
        fields["per"] = (keys,) if isinstance(keys, str) else tuple(keys)
    return Choice(**fields)


def _with_note(
    result: OodScores, measured: BaselineScores | None, options: Mapping[str, Any]
) -> OodScores:
    """The answer, which says so where distances are missing only for want of a library."""
    if measured is None and options.get("distances") is None and options.get("baseline"):
        return replace(result, warnings=(*result.warnings, NO_DISTANCES))
    return result
