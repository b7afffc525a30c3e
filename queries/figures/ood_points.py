"""Structures as points: which are drawn, how sets differ, and the chosen among them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from queries.figures.canvas import (
    DOUBLE_COLUMN_INCH,
    SHORT_AXIS,
    SINGLE_COLUMN_INCH,
    number_log_axis,
)
from queries.figures.looks import Look, looks_of, short
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

MOST_POINTS = 5000  # in a panel: more run into each other
POINT_SIZE = 5.0
RING_SIZE = 16.0
DRAWN_WITH = 0  # seed
LEAST_PLAIN, MOST_PLAIN = 0.01, 1e5  # the greatest number of an axis without a power of ten
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def thinned(points: pl.DataFrame, most: int = MOST_POINTS) -> pl.DataFrame:
    """At most so many rows, drawn at random; the chosen are always among them.

    Parameters
    ----------
    points
        With ``is_chosen``.
    """
    if len(points) <= most:
        return points
    room = max(most - int(points["is_chosen"].sum()), 0)
    others = np.flatnonzero(~points["is_chosen"].to_numpy())
    drawn = np.random.default_rng(DRAWN_WITH).permutation(others)[:room]
    is_drawn = points["is_chosen"].to_numpy().copy()
    is_drawn[drawn] = True
    return points.filter(pl.Series(is_drawn))


def thinning_note(n_drawn: int, n_known: int, what: str = "") -> str:
    """Say how many points are drawn where it is not all of them."""
    if n_drawn >= n_known:
        return ""
    return (
        f"{what}{n_drawn:,} of {n_known:,} structures are drawn, at random, with all that were "
        "chosen."
    )


def set_looks(result: OodScores) -> dict[str, Look]:
    """A look for each set, the same in every figure."""
    return looks_of([each.name for each in result.selection.sets])


def draw_sets(panel: Axes, points: pl.DataFrame, looks: dict[str, Look], x: str, y: str) -> None:
    """Draw points in the looks of their sets, the set with the most points lowest."""
    sizes = {name: points.filter(set=name).height for name in looks}
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        rows = points.filter(set=name)
        panel.scatter(
            rows[x],
            rows[y],
            POINT_SIZE,
            looks[name].colour,
            marker=looks[name].marker,
            alpha=0.55,
            linewidths=0,
            rasterized=True,
            label=f"_{name}",
        )


def draw_rings(panel: Axes, points: pl.DataFrame, x: str, y: str) -> None:
    """Mark the chosen."""
    rows = points.filter("is_chosen")
    panel.scatter(rows[x], rows[y], RING_SIZE, "none", edgecolors="black", linewidths=0.7, zorder=4)


def draw_set_legend(figure: Figure, panel: Axes, looks: dict[str, Look]) -> None:
    """Say above all panels which points are which; `panel` holds what the legend shows."""
    handles = [
        panel.scatter([], [], 3 * POINT_SIZE, look.colour, marker=look.marker, linewidths=0)
        for look in looks.values()
    ]
    ring = panel.scatter([], [], RING_SIZE, "none", edgecolors="black", linewidths=0.7)
    figure.legend(
        [*handles, ring],
        [*[short(name) for name in looks], "chosen"],
        loc="outside upper left",
        ncols=min(len(looks) + 1, 4),
        columnspacing=1.0,
        handletextpad=0.2,
    )


def spans_decades(values: pl.Series, least_ratio: float = 20.0) -> bool:
    """Whether values are better shown on a logarithmic axis: all positive, and far apart."""
    known = values.drop_nulls().to_numpy()
    if not len(known) or not np.isfinite(known).all() or known.min() <= 0:
        return False
    return bool(known.max() / known.min() > least_ratio)


def scale_axis(panel: Axes, values: pl.Series, which: str) -> None:
    """Write plain numbers on an axis: logarithmic where its values call for that, else by a power.

    What the numbers are multiples of belongs into the label, see `with_power`.

    Parameters
    ----------
    values
        As they are drawn.
    which
        ``"x"`` or ``"y"``.
    """
    axis = getattr(panel, f"{which}axis")
    power = power_of(values)
    if spans_decades(values):
        panel.set(**{f"{which}scale": "log"})
        low, high = getattr(panel, f"get_{which}lim")()
        number_log_axis(axis, is_short=high / low < SHORT_AXIS)
    elif power:
        axis.set_major_formatter(lambda value, _: minus(f"{value / 10.0**power:g}"))


def power_of(values: pl.Series) -> int:
    """The power of ten that the numbers of an axis are multiples of; 0 where they are plain."""
    known = values.drop_nulls().to_numpy()
    known = np.abs(known[np.isfinite(known)])
    if not known.any() or spans_decades(values) or LEAST_PLAIN <= known.max() < MOST_PLAIN:
        return 0
    return math.floor(math.log10(known.max()))


def with_power(label: str, values: pl.Series) -> str:
    """The label of an axis with the power of ten that `scale_axis` took out of its numbers.

    Examples
    --------
    >>> with_power("Energy disagreement (meV/atom)", pl.Series([0.0, 2e-5]))
    'Energy disagreement (10⁻⁵ meV/atom)'
    """
    power = power_of(values)
    if not power:
        return label
    factor = f"10{str(power).translate(SUPERSCRIPTS)}"
    return label.replace("(", f"({factor} ", 1) if "(" in label else f"{label} ({factor})"


def width_of(n_columns: int) -> float:
    """Width of a figure whose panels are as wide as where three stand side by side, in inches."""
    return max(SINGLE_COLUMN_INCH, n_columns * DOUBLE_COLUMN_INCH / 3)


def minus(number: str) -> str:
    """A number with the sign of a minus, which is longer than a hyphen."""
    return number.replace("-", "−")
