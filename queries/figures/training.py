"""The figure of training: curves, their spread over seeds, and where each run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from queries.figures.bars import name_places
from queries.figures.canvas import DOUBLE_COLUMN_INCH, SHORT_AXIS, number_log_axis
from queries.figures.curves import Curves, curves_of
from queries.figures.looks import Look, looks_of, short
from queries.figures.loss_bars import loss_names
from queries.figures.page import say, start
from queries.losses.result import LossComparison

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure, Line2D

CURVES = {
    "train_loss": "Training loss\n(as logged)",
    "validation_loss": "Validation loss\n(as logged)",
    "validation_forces_rmse": "Validation force RMSE\n(as logged)",
}
MARKS_A_LINE = 6
MANY_POINTS = 100
SMOOTHED_OVER = 8  # of the length of a curve
WITHOUT = {
    "train_loss": "No training losses are known of these models.",
    "validation_loss": "No validation losses are known of these models.",
    "validation_forces_rmse": "No validation force errors are known of these models.",
}
ONE_CURVE = "Curves of one seed per loss: their spread over seeds is not known."


def draw_training(comparison: LossComparison) -> Figure:
    """Draw training and validation curves, their spread, and the last validation losses."""
    figure = start("training_analysis", comparison, DOUBLE_COLUMN_INCH, 4.1)
    panels = figure.subplots(2, 3)
    for panel, curve in zip(panels[0], CURVES, strict=True):
        draw_curves(panel, comparison, curve)
    draw_spread(panels[1][0], comparison)
    draw_last(panels[1][1], comparison)
    panels[1][2].set_axis_off()
    draw_loss_legend(panels[1][2], loss_names(comparison))
    return figure


def draw_curves(panel: Axes, comparison: LossComparison, curve: str) -> None:
    """Draw one kind of curve, a line per loss."""
    curves = curves_of(comparison.training, curve)
    if curves.rows.is_empty():
        say(panel, WITHOUT[curve])
        return
    for loss, look in looks_of(loss_names(comparison)).items():
        rows = curves.rows.filter(loss=loss)
        draw_line(panel, rows["x"], rows["mean"], look, loss)
        several = rows.filter(pl.col("n_seeds") > 1)
        panel.fill_between(
            several["x"], several["low"], several["high"], color=look.colour, alpha=0.2, linewidth=0
        )
    if curves.is_positive:
        show_log(panel)
    panel.set(xlabel=curves.axis, ylabel=CURVES[curve])
    panel.grid(visible=True)


def draw_spread(panel: Axes, comparison: LossComparison) -> None:
    """Draw how far seeds are apart during training, in per cent of their mean."""
    curves: Curves = curves_of(comparison.training, "validation_loss")
    if curves.rows.is_empty():
        say(panel, WITHOUT["validation_loss"])
        return
    if not (curves.rows["n_seeds"] > 1).any():
        say(panel, ONE_CURVE)
        return
    for loss, look in looks_of(loss_names(comparison)).items():
        rows = curves.rows.filter(pl.col("loss") == loss, pl.col("n_seeds") > 1)
        percent = 100 * rows["std"] / rows["mean"].abs()
        panel.plot(
            rows["x"],
            percent,
            color=look.colour,
            alpha=0.3 if len(rows) < MANY_POINTS else 0.12,
            linewidth=0.6,
        )
        window = max(1, len(rows) // SMOOTHED_OVER)
        smooth = percent.rolling_mean(window, min_samples=1, center=True)
        draw_line(panel, rows["x"], smooth, look, loss)
    panel.set_ylim(bottom=0)
    panel.set(xlabel=curves.axis, ylabel="Validation loss:\nvariation over seeds (%)")
    panel.grid(visible=True)


def draw_last(panel: Axes, comparison: LossComparison) -> None:
    """Draw the last validation loss of every run, seeds beside each other."""
    losses = loss_names(comparison)
    runs = comparison.tables["training_summary"].drop_nulls("last_validation_loss")
    if runs.is_empty():
        say(panel, WITHOUT["validation_loss"])
        return
    for place, (loss, look) in enumerate(looks_of(losses).items()):
        its_runs = runs.filter(loss=loss).sort("seed")
        for number, run in enumerate(its_runs.iter_rows(named=True)):
            aside = 0.5 * (number - (len(its_runs) - 1) / 2) / max(len(its_runs) - 1, 1)
            is_finished = run["state"] == "finished"
            panel.plot(
                place + aside,
                run["last_validation_loss"],
                look.marker,
                color=look.colour,
                markerfacecolor=look.colour if is_finished else "white",
                label=f"_{run['run_name']}",
            )
    if (runs["last_validation_loss"] > 0).all():
        show_log(panel)
    name_places(panel, losses)
    panel.set_ylabel("Last validation loss\n(as logged)")
    panel.grid(visible=True, axis="y")


def draw_line(panel: Axes, x: pl.Series, y: pl.Series, look: Look, name: str) -> None:
    """Draw one line, with a marker now and then that tells it apart without colour."""
    every = max(1, len(x) // MARKS_A_LINE)
    panel.plot(
        x,
        y,
        color=look.colour,
        linestyle=look.line_style,
        marker=look.marker,
        markersize=3,
        markevery=every,
        label=f"_{name}",
    )


def draw_loss_legend(panel: Axes, losses: list[str]) -> None:
    """Name the lines of the losses in a panel of their own."""
    handles = loss_handles(panel, losses)
    panel.legend(
        handles,
        [short(loss) for loss in losses],
        title="Loss",
        loc="center",
        ncols=1 if len(losses) <= 8 else 2,
    )


def loss_handles(panel: Axes, losses: list[str]) -> list[Line2D]:
    """One line per loss, for a legend."""
    return [
        panel.plot(
            [], [], color=look.colour, linestyle=look.line_style, marker=look.marker, markersize=3
        )[0]
        for look in looks_of(losses).values()
    ]


def show_log(panel: Axes) -> None:
    """Make the axis of values logarithmic, with plain numbers on it."""
    panel.set_yscale("log")
    lowest, highest = panel.get_ylim()
    spans = highest / lowest
    number_log_axis(panel.yaxis, is_short=spans < SHORT_AXIS)
