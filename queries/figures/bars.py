"""Bars with their values, spreads and the seeds behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queries.figures.looks import Look, short

if TYPE_CHECKING:
    from queries.figures.canvas import Axes

WIDTH = 0.72
LABELS_UP_TO = 8  # bars in a panel that still have room for their values
FEWEST_PLACES = 3  # fewer bars than that would be fat


@dataclass(frozen=True)
class Bar:
    """One bar: its name and its numbers come from the same row.

    Attributes
    ----------
    height
        None draws no bar but a note that says so.
    spread
        Half the length of the error bar; None draws none.
    points
        The numbers of the seeds, drawn as circles.
    without
        What stands in the place of a bar that has no height.
    """

    name: str
    height: float | None
    spread: float | None
    points: tuple[float, ...] = ()
    without: str = "no atoms"

    @property
    def top(self) -> float:
        """The highest thing drawn."""
        if self.height is None:
            return 0.0
        return max(self.height + (self.spread or 0.0), *self.points, self.height)


def draw_bars(panel: Axes, bars: Sequence[Bar], looks: Sequence[Look]) -> None:
    """Draw bars beside each other, one name each on the axis."""
    for place, (bar, look) in enumerate(zip(bars, looks, strict=True)):
        draw_bar(panel, bar, look, place, WIDTH)
        if len(bars) <= LABELS_UP_TO:
            _write_value(panel, bar, place)
    name_places(panel, [bar.name for bar in bars])
    _leave_room(panel, bars)


def draw_groups(
    panel: Axes, groups: Mapping[str, Sequence[Bar]], looks: Sequence[Look], names: Sequence[str]
) -> None:
    """Draw several bars per name on the axis; `names` and `looks` are those of a legend."""
    width = WIDTH / len(looks)
    for number, bars in enumerate(groups.values()):
        for which, (bar, look) in enumerate(zip(bars, looks, strict=True)):
            place = number + (which - (len(looks) - 1) / 2) * width
            draw_bar(panel, bar, look, place, width * 0.94)
    name_places(panel, list(groups))
    _leave_room(panel, [bar for bars in groups.values() for bar in bars])
    draw_legend(panel, looks, names)


def draw_legend(panel: Axes, looks: Sequence[Look], names: Sequence[str]) -> None:
    """Say above a panel which bar is which."""
    handles = [
        panel.bar(0, 0, color=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0)
        for look in looks
    ]
    panel.legend(
        handles,
        list(names),
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(names),
        columnspacing=1.2,
        handlelength=1.6,
    )


def draw_bar(panel: Axes, bar: Bar, look: Look, place: float, width: float) -> None:
    """Draw one bar, or say in its place that there is none."""
    if bar.height is None:
        panel.annotate(
            bar.without,
            (place, 0),
            (0, 2),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=6,
            color="0.35",
        )
        return
    panel.bar(
        place,
        bar.height,
        width,
        color=look.colour,
        hatch=look.hatch,
        edgecolor="white",
        linewidth=0,
        label=f"_{bar.name}",
        zorder=2,
    )
    if bar.spread is not None:
        panel.errorbar(place, bar.height, bar.spread, color="black", linewidth=0.8, zorder=4)
    if len(bar.points) > 1:
        draw_points(panel, bar.points, place, width * 0.6)


def draw_points(panel: Axes, values: Sequence[float], place: float, width: float) -> None:
    """Draw the seeds as circles beside each other."""
    steps = len(values) - 1
    places = [place + width * (number / steps - 0.5) for number in range(steps + 1)]
    panel.plot(
        places,
        values,
        "o",
        markersize=2.4,
        markerfacecolor="white",
        markeredgecolor="black",
        markeredgewidth=0.5,
        zorder=5,
    )


def name_places(panel: Axes, names: Sequence[str]) -> None:
    """Write names under the axis; many or long ones aslant."""
    shown = [short(name) for name in names]
    panel.set_xticks(range(len(names)), shown)
    aside = 0.6 + max(FEWEST_PLACES - len(names), 0) / 2
    panel.set_xlim(-aside, len(names) - 1 + aside)
    panel.tick_params(axis="x", length=0)
    if len(names) > 3 or max(map(len, shown), default=0) > 10:
        for label in panel.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")


def three_digits(value: float) -> str:
    """A number to three significant digits, without an exponent where one can do without."""
    text = f"{value:#.3g}"
    if "e" in text and abs(value) >= 1:
        return f"{value:,.0f}"
    return text.rstrip(".")


def _write_value(panel: Axes, bar: Bar, place: float) -> None:
    if bar.height is not None:
        panel.annotate(
            three_digits(bar.height),
            (place, bar.top),
            (0, 1.5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=6,
        )


def _leave_room(panel: Axes, bars: Sequence[Bar]) -> None:
    """Begin at zero, and leave room for values above the highest bar."""
    top = max((bar.top for bar in bars), default=0.0)
    panel.set_ylim(0, top * 1.14 if top > 0 else 1)
    if top <= 0:
        panel.set_yticks([])
    panel.grid(visible=True, axis="y")
