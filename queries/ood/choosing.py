"""Which structures are chosen: ranked by a score, cut off, and spread over metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import polars as pl

DEFAULT_TOP = 30
QUANTILES = (0.90, 0.95, 0.99)


@dataclass(frozen=True)
class Choice:
    """A rule that chooses structures.

    Attributes
    ----------
    score
        What ranks.
    top
        At most so many; by default 30 where nothing cuts off.
    above
        Only those with a greater score; 0 is a value.
    above_quantile
        Only those with a score greater than this quantile of the baseline.
    at_most, per
        At most so many of each combination of values of these columns. NULL is a value.
    """

    score: str = "latent_variance_trace"
    top: int | None = None
    above: float | None = None
    above_quantile: float | None = None
    at_most: int | None = None
    per: tuple[str, ...] = ()

    def check(self, *, has_baseline: bool) -> None:
        """Refuse what cannot be meant.

        Raises
        ------
        InvalidInputError
            Two cut-offs, one that is no number, a quantile without a baseline or beyond 0 to 1, or
            one of `at_most` and `per` without the other.
        """
        if self.above is not None and math.isnan(self.above):
            raise InvalidInputError("--above nan: expected a number, which a score can exceed.")
        if self.above is not None and self.above_quantile is not None:
            raise InvalidInputError(
                f"--above {self.above} and --above-quantile {self.above_quantile}: expected one "
                "cut-off. Leave one out."
            )
        if self.above_quantile is not None and not 0 <= self.above_quantile <= 1:
            raise InvalidInputError(
                f"--above-quantile {self.above_quantile}: expected a number from 0 to 1, e.g. "
                "0.95. An absolute value is given with --above."
            )
        if self.above_quantile is not None and not has_baseline:
            raise InvalidInputError(
                f"--above-quantile {self.above_quantile}: of what? Expected a baseline set, whose "
                "quantile it is. Give --baseline SET, or an absolute value with --above."
            )
        if (self.at_most is None) != (not self.per):
            raise InvalidInputError(
                "--at-most and --per belong together: at most N per KEY. Give both or neither."
            )
        for name, value in (("--top", self.top), ("--at-most", self.at_most)):
            if value is not None and value < 1:
                raise InvalidInputError(f"{name} {value}: expected a number from 1.")


def with_rank(scores: pl.DataFrame, score: str) -> pl.DataFrame:
    """The rows with ``rank``, from 1 among candidates: by score, the greatest first, then by id.

    A structure in several sets has one rank; NULL stands where there is no score.

    Raises
    ------
    NotFoundError
        There is no such score.
    InvalidInputError
        It is no number.
    """
    import polars as pl

    _check_column(scores, score)
    if not scores[score].dtype.is_numeric():
        raise InvalidInputError(f"{score} is no number. Expected a score to rank by.")
    has_score = pl.col("is_candidate") & pl.col(score).is_not_null() & ~pl.col(score).is_nan()
    ranks = (
        scores.filter(has_score)
        .sort(score, "structure_id", descending=[True, False], maintain_order=True)
        .unique("structure_id", keep="first", maintain_order=True)
        .select("structure_id")
        .with_row_index("rank", offset=1)
        .with_columns(pl.col("rank").cast(pl.Int64))
    )
    ranked = scores.join(ranks, on="structure_id", how="left", maintain_order="left")
    return ranked.with_columns(rank=pl.when("is_candidate").then("rank"))


def choose(ranked: pl.DataFrame, choice: Choice, cut_offs: Mapping[str, float]) -> pl.DataFrame:
    """The rows that are chosen, in order of rank, each structure once.

    Parameters
    ----------
    ranked
        What `with_rank` gives.
    cut_offs
        What `cut_offs` gives.

    Raises
    ------
    NotFoundError
        There is no column to spread over.
    """
    import polars as pl

    for key in choice.per:
        _check_column(ranked, key)
    chosen = ranked.filter(pl.col("rank").is_not_null()).sort("rank", maintain_order=True)
    chosen = chosen.unique("rank", keep="first", maintain_order=True)
    least = least_score(choice, cut_offs)
    if least is not None:
        chosen = chosen.filter(pl.col(choice.score) > least)
    if choice.at_most is not None:
        place = pl.int_range(pl.len()).over(choice.per)
        chosen = chosen.filter(place < choice.at_most)
    top = DEFAULT_TOP if choice.top is None and least is None else choice.top
    return chosen if top is None else chosen.head(top)


def cut_offs(scores: pl.DataFrame, choice: Choice, baseline: str | None) -> dict[str, float]:
    """Quantiles of the score on the baseline, and the absolute cut-off, by what they are called.

    Quantiles are interpolated between the two nearest values.

    Raises
    ------
    InvalidInputError
        A quantile cuts off, and no structure of the baseline has the score.
    """
    found = {}
    if baseline is not None:
        values = scores.filter(set=baseline)[choice.score].drop_nulls()
        own = () if choice.above_quantile is None else (choice.above_quantile,)
        for quantile in sorted({*QUANTILES, *own}):
            value = values.quantile(quantile, "linear")
            if value is not None:
                found[_quantile_name(quantile, baseline)] = float(value)
    if choice.above_quantile is not None and not found:
        raise InvalidInputError(
            f"No structure of the baseline {baseline} has the score {choice.score}. Expected some, "
            "for its quantile. Compute it, or rank by another --score."
        )
    if choice.above is not None:
        found["absolute"] = choice.above
    return found


def least_score(choice: Choice, cut_offs: Mapping[str, float]) -> float | None:
    """What a score must exceed to be chosen; None where anything may be."""
    if choice.above is not None:
        return choice.above
    if choice.above_quantile is None:
        return None
    suffix = _quantile_name(choice.above_quantile, "")
    return next(value for name, value in cut_offs.items() if name.startswith(suffix))


def rule_text(choice: Choice, cut_offs: Mapping[str, float], baseline: str | None) -> str:
    """How structures were chosen, as a sentence."""
    least = least_score(choice, cut_offs)
    top = DEFAULT_TOP if choice.top is None and least is None else choice.top
    said = "all structures with a" if top is None else f"at most {top} structures with the greatest"
    text = f"Chosen are {said} {choice.score}"
    if least is not None:
        of = (
            f", the {choice.above_quantile:g} quantile of {baseline}"
            if choice.above_quantile is not None
            else ""
        )
        text += f" above {least:g}{of}"
    if choice.at_most is not None:
        text += f", at most {choice.at_most} per {', '.join(choice.per)}"
    return f"{text}."


def _quantile_name(quantile: float, baseline: str) -> str:
    return f"q{100 * quantile:g} of {baseline}"


def _check_column(frame: pl.DataFrame, name: str) -> None:
    if name not in frame.columns:
        raise NotFoundError.among("column of the scores", name, frame.columns)
