"""Panels that compare losses with each other: the matrix of tests, and the table of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from queries.figures.bars import three_digits
from queries.figures.looks import short
from queries.figures.loss_bars import ERROR_UNIT, MEV, loss_names, scaled
from queries.figures.page import say
from queries.losses.result import LossComparison

if TYPE_CHECKING:
    from queries.figures.canvas import Axes

SIGNIFICANT = 0.05
FEWEST_CELLS = 3  # in a row: fewer would be huge
NUMBERS_UP_TO = 7  # losses that leave room for numbers in the cells
# Face and ink of a cell; the sign says the same without colour.
BETTER, WORSE, ALIKE, UNKNOWN = (
    ("▼", "#0072B2", "white"),
    ("▲", "#E69F00", "black"),
    ("≈", "0.93", "black"),
    ("–", "white", "0.4"),
)


def draw_matrix(panel: Axes, comparison: LossComparison, measure: str = "defect_mae") -> None:
    """Draw the paired tests: whether the loss of a row errs less than that of a column."""
    losses = loss_names(comparison)
    if len(losses) < 2:
        say(panel, "One loss: nothing to compare it with.")
        return
    tests = {
        (row["loss_1"], row["loss_2"]): row
        for row in comparison.tables["paired_tests"]
        .filter(pl.col("measure") == measure)
        .iter_rows(named=True)
    }
    for row in range(1, len(losses)):
        for column in range(row):
            p, difference = _found(tests, losses[row], losses[column])
            draw_cell(panel, (column, row - 1), p, difference, len(losses))
    n = len(losses) - 1
    across = max(n, FEWEST_CELLS)
    panel.set(xlim=(-0.5, across - 0.5), ylim=(n - 0.5, n - 0.5 - across), aspect="equal")
    panel.set_xticks(range(n), [short(loss, 12) for loss in losses[:-1]], rotation=40, ha="right")
    for label in panel.get_xticklabels():
        label.set_rotation_mode("anchor")
    panel.set_yticks(range(n), [short(loss, 12) for loss in losses[1:]])
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


def draw_cell(
    panel: Axes, place: tuple[int, int], p: float | None, difference: float | None, n_losses: int
) -> None:
    """Draw one test."""
    sign, face, ink = _verdict(p, difference)
    column, row = place
    panel.fill_between(
        [column - 0.47, column + 0.47], row - 0.47, row + 0.47, color=face, linewidth=0
    )
    text = sign if p is None or n_losses > NUMBERS_UP_TO else f"{sign}\n{short_p(p)}"
    panel.text(column, row, text, ha="center", va="center", color=ink, fontsize=6, linespacing=1.05)


def short_p(p: float) -> str:
    """A p value without the zero before the point."""
    if p < 0.001:
        return "<.001"
    return f"{p:.3f}".removeprefix("0") if p < 0.9995 else "1"


def draw_table(panel: Axes, comparison: LossComparison) -> None:
    """Write the numbers of the losses: mean ± spread over seeds."""
    panel.set_axis_off()
    heads = ("Loss", f"defect\n({ERROR_UNIT})", f"bulk\n({ERROR_UNIT})", "ratio")
    places = (0.0, 0.56, 0.84, 1.0)
    rows = list(comparison.tables["ensemble_summary"].iter_rows(named=True))
    height = min(0.13, 0.84 / max(len(rows), 1))
    for place, head in zip(places, heads, strict=True):
        _write(panel, place, 0.86, head, va="bottom", fontweight="bold")
    panel.plot([0, 1.0], [0.84, 0.84], transform=panel.transAxes, color="black", linewidth=0.6)
    panel.set_autoscale_on(False)
    for number, row in enumerate(rows):
        y = 0.84 - (number + 0.6) * height
        cells = (
            short(row["loss"], 12),
            with_spread(row["defect_mae_mean"], row["defect_mae_std_over_seeds"], MEV),
            with_spread(row["bulk_mae_mean"], row["bulk_mae_std_over_seeds"], MEV),
            with_spread(row["ratio_mean"], None, 1),
        )
        for place, cell in zip(places, cells, strict=True):
            _write(panel, place, y, cell, va="center")


def with_spread(mean: float | None, spread: float | None, factor: float) -> str:
    """A number and its spread, both to the digits that the number has."""
    value, deviation = scaled(mean, factor), scaled(spread, factor)
    if value is None:
        return "–"
    text = three_digits(value)
    if deviation is None:
        return text
    digits = len(text.partition(".")[2])
    rounded = f"{deviation:.{digits}f}"
    return f"{text}±{rounded if float(rounded) or not deviation else f'{deviation:.1g}'}"


def _write(panel: Axes, x: float, y: float, text: str, **more: Any) -> None:
    panel.text(
        x, y, text, transform=panel.transAxes, ha="left" if x == 0 else "right", fontsize=6, **more
    )


def _found(
    tests: dict[tuple[str, str], dict[str, Any]], row: str, column: str
) -> tuple[float | None, float | None]:
    """The p value of a pair, and how much greater the error of `row` is; in any order."""
    if (row, column) in tests:
        found, sign = tests[row, column], 1
    elif (column, row) in tests:
        found, sign = tests[column, row], -1
    else:
        return None, None
    difference = found["mean_diff"]
    return found["p_permutation_holm"], None if difference is None else sign * difference


def _verdict(p: float | None, difference: float | None) -> tuple[str, str, str]:
    if p is None or difference is None:
        return UNKNOWN
    if p >= SIGNIFICANT:
        return ALIKE
    return BETTER if difference < 0 else WORSE
