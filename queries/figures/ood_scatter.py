"""The figure of scores against each other: of two ensembles, and of one by several measures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from queries.figures.looks import Look, short
from queries.figures.ood_captions import LONGEST_CONDITION, axis_of, ood_caption
from queries.figures.ood_points import (
    draw_rings,
    draw_set_legend,
    draw_sets,
    minus,
    scale_axis,
    set_looks,
    thinned,
    thinning_note,
    width_of,
    with_power,
)
from queries.figures.page import say, start_with
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

COLUMNS = 3
MOST_ENSEMBLES = 3
MOST_PANELS = 6
BESIDE = (
    "energy_disagreement",
    "force_disagreement",
    "d_latent",
    "knn_mean_distance",
    "negative_log_likelihood",
    "mahalanobis",
)
OTHER = "other"


@dataclass(frozen=True)
class Pair:
    """What one panel sets against each other.

    Attributes
    ----------
    points
        set, structure_id, is_chosen, x, y; rows without one of the two are left out.
    is_alike
        Whether x and y are the same measure, so that they may be equal.
    """

    x_label: str
    y_label: str
    points: pl.DataFrame
    is_alike: bool = False

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's ρ over all points; None where it is not known."""
        ranks = self.points.select(pl.col("x", "y").rank())
        rho = ranks.select(pl.corr("x", "y")).item() if len(ranks) > 2 else None
        return None if rho is None or math.isnan(rho) else float(rho)


def draw_scatter(result: OodScores) -> Figure:
    """Draw the score against that of other ensembles and against other scores."""
    pairs = pairs_of(result)
    n_known = max((len(pair.points) for pair in pairs), default=0)
    n_drawn = max((len(thinned(pair.points)) for pair in pairs), default=0)
    footnote = ood_caption(
        "ood_scatter", result, thinning_note(n_drawn, n_known), longest_condition=LONGEST_CONDITION
    )
    n_columns = min(COLUMNS, max(len(pairs), 1))
    n_rows = math.ceil(max(len(pairs), 1) / n_columns)
    figure = start_with(footnote, width_of(n_columns), 0.3 + 2.2 * n_rows)
    panels = figure.subplots(n_rows, n_columns, squeeze=False)
    looks = set_looks(result)
    for panel, pair in zip(panels.flat, pairs, strict=False):
        draw_pair(panel, pair, looks)
    for panel in panels.flat[len(pairs) :]:
        panel.set_axis_off()
    if pairs:
        draw_set_legend(figure, panels[0][0], looks)
    else:
        say(panels[0][0], "There is no other score to set this one against.")
    return figure


def pairs_of(result: OodScores) -> list[Pair]:
    """What there is to set against each other: other ensembles first."""
    chosen = result.chosen["structure_id"].implode()
    rows = result.scores.unique("structure_id", keep="first", maintain_order=True).with_columns(
        pl.col("structure_id").is_in(chosen).alias("is_chosen")
    )
    return [*_ensembles(result, rows), *_measures(result, rows)][:MOST_PANELS]


def draw_pair(panel: Axes, pair: Pair, looks: dict[str, Look]) -> None:
    """Draw one panel."""
    if pair.points.is_empty():
        say(panel, "No structure has both scores.")
        return
    points = thinned(pair.points)
    draw_sets(panel, points, looks, "x", "y")
    draw_rings(panel, points, "x", "y")
    if pair.is_alike:
        values = pair.points["x"].to_numpy()
        low, high = float(values.min()), float(values.max())
        panel.plot([low, high], [low, high], color="0.3", linestyle=(0, (4, 2)), linewidth=0.7)
    rho = pair.rank_correlation
    text = f"n = {len(pair.points):,}" + ("" if rho is None else minus(f", ρ = {rho:.2f}"))
    panel.annotate(
        text, (0, 1), (3, -2), xycoords="axes fraction", textcoords="offset points", va="top"
    )
    panel.margins(y=0.12)
    for which in ("x", "y"):
        scale_axis(panel, pair.points[which], which)
    panel.set(xlabel=pair.x_label, ylabel=pair.y_label)


def _ensembles(result: OodScores, rows: pl.DataFrame) -> list[Pair]:
    label, factor = axis_of(result.score)
    if result.score not in result.against.columns:
        return []
    pairs = []
    for (name,), other in result.against.group_by("name", maintain_order=True):
        joined = rows.select("set", "dataset", "structure_id", "is_chosen", result.score).join(
            other.select("dataset", "structure_id", pl.col(result.score).alias(OTHER)),
            on=["dataset", "structure_id"],
        )
        points = _points(joined, result.score, factor, OTHER, factor)
        x, y = (with_power(label, points[axis]) for axis in ("x", "y"))
        whose = f"{short(str(other['ensemble'][0]))} ({short(str(name))})"
        pairs.append(
            Pair(
                f"{x},\nby {short(result.selection.ensemble)}",
                f"{y},\nby {whose}",
                points,
                is_alike=True,
            )
        )
    return pairs[:MOST_ENSEMBLES]


def _measures(result: OodScores, rows: pl.DataFrame) -> list[Pair]:
    label, factor = axis_of(result.score)
    pairs = []
    for name in BESIDE:
        if name == result.score or name not in rows.columns or rows[name].is_null().all():
            continue
        other, other_factor = axis_of(name)
        points = _points(rows, result.score, factor, name, other_factor)
        x, y = with_power(label, points["x"]), with_power(other, points["y"])
        pairs.append(Pair(x, y, points))
    return pairs


def _points(rows: pl.DataFrame, x: str, x_factor: float, y: str, y_factor: float) -> pl.DataFrame:
    points = rows.select(
        "set", "structure_id", "is_chosen", x=pl.col(x) * x_factor, y=pl.col(y) * y_factor
    )
    return points.filter(pl.col("x").is_finite(), pl.col("y").is_finite())
