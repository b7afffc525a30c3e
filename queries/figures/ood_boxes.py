"""The figure of scores by metadata: which kinds of structures are uncertain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from queries.figures.looks import Look, short
from queries.figures.ood_captions import LONGEST_CONDITION, axis_of, ood_caption
from queries.figures.ood_points import scale_axis, set_looks, width_of, with_power
from queries.figures.page import say, start_with
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

COLUMNS = 3
MOST_PANELS = 9
MOST_VALUES = 12  # of one key: more boxes have no room for their names
WHISKERS = (5, 95)
LETTERS = 36  # that have room beside each other under a panel of three
WIDTH = 0.75
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\")
NONE = "none"


def draw_boxes_by_metadata(result: OodScores) -> Figure:
    """Draw a panel of boxes for the sets, and for each key of the metadata with several values."""
    keys, _ = keys_of(result)
    footnote = ood_caption(
        "ood_boxes", result, boxes_note(result), longest_condition=LONGEST_CONDITION
    )
    n_columns = min(COLUMNS, len(keys) + 1)
    n_rows = math.ceil((len(keys) + 1) / n_columns)
    figure = start_with(footnote, width_of(n_columns), 0.4 + 1.95 * n_rows)
    panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    looks = set_looks(result)
    draw_key(panels[0][0], result, "set", looks)
    for panel, key in zip(panels.flat[1:], keys, strict=False):
        draw_key(panel, result, key, looks)
    for panel in panels.flat[len(keys) + 1 :]:
        panel.set_axis_off()
    label, factor = axis_of(result.score)
    values = result.scores[result.score] * factor
    for row in panels:
        row[0].set_ylabel(with_power(label, values))
    scale_axis(panels[0][0], values, "y")
    return figure


def keys_of(result: OodScores) -> tuple[list[str], list[str]]:
    """The keys that have a panel, and those that have none.

    Those have one value or too many, or divide the structures as another key does that is shown.
    """
    shown: list[str] = []
    left_out: list[str] = []
    for key in ("config_type", *result.metadata):
        n_values = result.scores[key].n_unique()
        has_room = 1 < n_values <= MOST_VALUES and len(shown) < MOST_PANELS - 1
        is_new = not any(_divide_alike(result.scores, key, other) for other in shown)
        (shown if has_room and is_new else left_out).append(key)
    return shown, left_out


def _divide_alike(scores: pl.DataFrame, key: str, other: str) -> bool:
    """Whether each value of a key goes with one value of the other, as texts with numbers do."""
    n_both = scores.select(pl.struct(key, other).n_unique()).item()
    return bool(n_both == scores[key].n_unique() == scores[other].n_unique())


def boxes_note(result: OodScores) -> str:
    """Which keys are not drawn, and why."""
    _, left_out = keys_of(result)
    if not left_out:
        return ""
    named = ", ".join(short(key) for key in left_out[:6])
    more = f" and {len(left_out) - 6} more" if len(left_out) > 6 else ""
    return (
        f"Without panel, for having fewer than 2 or more than {MOST_VALUES} values, for dividing "
        f"as another does, or for want of room: {named}{more}."
    )


def draw_key(panel: Axes, result: OodScores, key: str, looks: dict[str, Look]) -> None:
    """Draw the values of one key beside each other, and in each the sets."""
    _, factor = axis_of(result.score)
    rows = result.scores.select(
        "set",
        value=value_text(pl.col(key), result.scores[key]),
        score=pl.col(result.score) * factor,
    ).drop_nulls("score")
    panel.set_title("sets" if key == "set" else short(key, 30))
    if rows.is_empty():
        say(panel, "No structure has this score.")
        return
    values = list(looks) if key == "set" else _sorted_values(rows["value"])
    width = WIDTH if key == "set" else WIDTH / len(looks)
    for place, value in enumerate(values):
        for number, (name, look) in enumerate(looks.items()):
            aside = 0.0 if key == "set" else (number - (len(looks) - 1) / 2) * width
            scores = rows.filter(set=name, value=value)["score"].to_numpy()
            if len(scores):
                _draw_box(panel, scores, place + aside, width * 0.86, look, number)
    counts = dict(rows["value"].value_counts().iter_rows())
    _name_values(panel, [(value, counts.get(value, 0)) for value in values])
    panel.grid(visible=True, axis="y")


def value_text(column: pl.Expr, values: pl.Series) -> pl.Expr:
    """Values as the axis names them; numbers without needless zeros, NULL as none."""
    if values.dtype.is_float():
        texts = {value: f"{value:g}" for value in values.drop_nulls().unique()}
        column = column.replace_strict(texts, return_dtype=pl.String)
    return column.cast(pl.String).fill_null(NONE)


def _sorted_values(values: pl.Series) -> list[str]:
    """Numbers by size, then words by name, none last."""

    def order(text: str) -> tuple[int, float, str]:
        if text == NONE:
            return 2, 0.0, text
        try:
            return 0, float(text), text
        except ValueError:
            return 1, 0.0, text

    return sorted(values.unique(), key=order)


def _draw_box(
    panel: Axes, scores: np.ndarray, place: float, width: float, look: Look, number: int
) -> None:
    panel.boxplot(
        [scores],
        positions=[place],
        widths=width,
        whis=WHISKERS,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={
            "facecolor": look.colour,
            "hatch": HATCHES[number % len(HATCHES)],
            "edgecolor": "white",
            "linewidth": 0.4,
        },
        medianprops={"color": "black", "linewidth": 1.2},
        whiskerprops={"linewidth": 0.7},
        capprops={"linewidth": 0.7},
    )


def _name_values(panel: Axes, counted: list[tuple[str, int]]) -> None:
    """Write under the axis what a group of boxes is, and how many structures it has."""
    names = [f"{short(value, 14)}\nn = {n:,}" for value, n in counted]
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    panel.set_xticks(range(len(names)), names)
    panel.set_xlim(-0.6, max(len(names), 2) - 0.4)
    panel.tick_params(axis="x", length=0)
    if len(names) * longest > LETTERS:
        for label in panel.get_xticklabels():
            label.set(rotation=50, ha="right", rotation_mode="anchor", fontsize=6)
