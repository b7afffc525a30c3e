"""Distances from the baseline beside the disagreement of the ensemble, and a choice by them."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.errors import InvalidInputError
from lake.lake import Lake
from queries.ood.choosing import Choice
from queries.ood.chosen_parts import chosen_by
from queries.ood.embeddings import structure_embeddings
from queries.ood.result import ALIGNED, OodScores
from queries.ood.scoring import score

if TYPE_CHECKING:
    from queries.ood.baseline import BaselineScores


def score_with_distances(
    lake: Lake,
    *,
    choice: Choice,
    distances: bool | None = None,
    kept: Path | None = None,
    is_mapped: bool = True,
    **options: Any,
) -> tuple[OodScores, BaselineScores | None]:
    """Score and choose, with distances from the baseline where there is one.

    Parameters
    ----------
    choice
        May rank by a distance.
    distances
        Whether distances are wanted; None takes them where there are a baseline and scikit-learn.
    kept
        File of a baseline that was fitted before: distances are from it, and nothing is fitted.
    is_mapped
        Whether to place structures on a map of neighbours, the longest step, which figures show.
    **options
        See `queries.ood.scoring.score`.

    Raises
    ------
    InvalidInputError
        Distances are wanted, and there is no baseline or no scikit-learn; the baseline that was
        kept is of other models or latents; or see `score`.
    """
    has_baseline = options.get("baseline") is not None
    choice.check(has_baseline=has_baseline)
    if distances is None:
        distances = kept is not None or (has_baseline and find_spec("sklearn") is not None)
    if not distances:
        return score(lake, choice=choice, **options), None
    if not has_baseline and kept is None:
        raise InvalidInputError(
            "--distances: from what? Expected a baseline set, or one that was kept. Give "
            "--baseline SET or --baseline-models FILE."
        )
    from queries.ood.baseline import DISTANCES
    from queries.ood.baseline.maps import map_structures
    from queries.ood.baseline.scoring import find_baseline, measure

    # One version for all, whatever others commit meanwhile.
    reader = lake.reader
    names = (*DISTANCES, ALIGNED)
    is_by_distance = choice.score in DISTANCES
    first = Choice() if is_by_distance else Choice(score=choice.score)
    result = score(lake.at(reader.state.version), choice=first, is_aligned=has_baseline, **options)
    rows, vectors = structure_embeddings(reader, result)
    baseline = find_baseline(result, rows, vectors, kept=kept)
    if is_by_distance:  # clusters and maps go by rank, so the rank has to be known first
        measured = measure(result, baseline, rows, vectors, is_mapped=False)
        result = chosen_by(_with(result, measured), choice_without_groups(choice), names)
    measured = measure(result, baseline, rows, vectors, is_mapped=False)
    result = chosen_by(_with(result, measured), choice, names)
    # Last, because the chosen are always on the map.
    placed = map_structures(result, baseline, measured.scores, vectors, is_mapped=is_mapped)
    return result, replace(measured, map=placed)


def choice_without_groups(choice: Choice) -> Choice:
    """The same rule, not spread over groups: they may be clusters, which are not known yet."""
    return replace(choice, at_most=None, per=())


def _with(result: OodScores, measured: BaselineScores) -> OodScores:
    """The answer with the columns of a baseline, in place of those it may have."""
    from queries.ood.baseline import DISTANCES
    from queries.ood.baseline.scoring import join_distances

    names = [*DISTANCES, "cluster"]
    bare = {name: getattr(result, name).drop(names, strict=False) for name in ("scores", "chosen")}
    joined = join_distances(replace(result, **bare), measured)
    return replace(joined, warnings=tuple(dict.fromkeys(joined.warnings)))
