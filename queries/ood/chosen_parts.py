"""The parts of an answer that depend on the rule that chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lake.errors import NotFoundError
from queries.ood.choosing import Choice, choose, cut_offs, rule_text, with_rank
from queries.ood.result import SCORES, OodScores
from queries.ood.selection import OodSelection
from queries.ood.summaries import score_histogram, score_statistics

if TYPE_CHECKING:
    import polars as pl

AFTER = "is_baseline"  # the column that rank stands behind
OF_ELEMENTS = "latent_variance_trace_"
A_DISTANCE = "d_latent"  # where it is known, all are
DISTANCES_TOO = " Distances are scores where there are a --baseline and scikit-learn."


def chosen_by(result: OodScores, choice: Choice, more_scores: Sequence[str]) -> OodScores:
    """The same answer, chosen by another rule.

    Parameters
    ----------
    more_scores
        Columns of ``scores`` that are scores too, besides those of the ensemble.

    Raises
    ------
    NotFoundError, InvalidInputError
        As of `queries.ood.choosing`.
    """
    names = [
        name
        for name in result.scores.columns
        if name not in result.metadata
        and (name in SCORES or name in more_scores or name.startswith(OF_ELEMENTS))
    ]
    scores = result.scores.drop("rank")
    made = chosen_parts(scores, choice, result.selection, names)
    caveats = caveats_of_choice(choice, made["chosen"], result.selection)
    warnings = tuple(dict.fromkeys((*result.warnings, *caveats)))
    return replace(result, warnings=warnings, **made)


def chosen_parts(
    scores: pl.DataFrame, choice: Choice, selection: OodSelection, names: Sequence[str]
) -> dict[str, Any]:
    """The fields of an answer that follow from a rule.

    Parameters
    ----------
    scores
        As in an answer, without rank.
    names
        The columns that are scores.

    Raises
    ------
    NotFoundError
        What is to rank is none of them.
    """
    _check_score(choice.score, names)
    ranked = with_rank(scores, choice.score)
    at = ranked.columns.index(AFTER) + 1
    ranked = ranked.select(*scores.columns[:at], "rank", *scores.columns[at:])
    offs = cut_offs(ranked, choice, selection.baseline)
    return {
        "score": choice.score,
        "scores": ranked,
        "chosen": choose(ranked, choice, offs),
        "statistics": score_statistics(ranked, names, selection.ensemble),
        "histogram": score_histogram(ranked, names, selection.ensemble),
        "rule": rule_text(choice, offs, selection.baseline),
        "cut_offs": offs,
    }


def _check_score(score: str, names: Sequence[str]) -> None:
    if score not in names:
        hint = "" if A_DISTANCE in names else DISTANCES_TOO
        raise NotFoundError(f"{NotFoundError.among('score', score, names)}{hint}")


def caveats_of_choice(choice: Choice, chosen: pl.DataFrame, selection: OodSelection) -> list[str]:
    """A baseline that is chosen from, and less than was asked for."""
    said = []
    names = [each.name for each in selection.candidates]
    if selection.baseline in names:
        others = "" if len(names) > 1 else " There is no other set."
        said.append(
            f"The baseline {selection.baseline} is one of the sets chosen from: a share of its own "
            f"structures lies above any of its quantiles.{others}"
        )
    if choice.top is not None and len(chosen) < choice.top:
        said.append(f"Only {len(chosen)} structures fulfil the rule; {choice.top} were asked for.")
    elif chosen.is_empty():
        said.append("No structure fulfils the rule: none was chosen.")
    return said
