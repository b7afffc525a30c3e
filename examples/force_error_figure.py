"""How wrong forces are: a point per structure, and the mean over all atoms of a kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from queries.figures.canvas import (
    DOUBLE_COLUMN_INCH,
    FileFacts,
    journal_style,
    new_figure,
    number_log_axis,
    save,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes

KINDS = ("bulk", "vac", "sia_octahedral", "sia_dumbbell")
# Colours of Okabe and Ito for the losses; the marker tells the losses apart in grey, its filling
# the seeds.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKERS = ("o", "s", "^", "D")
WIDTH_OF_KIND = 0.8
MEV = 1000.0
TITLE = "How wrong forces are"


def draw_force_errors(errors: pl.DataFrame, caption: str, stem: Path) -> list[Path]:
    """Draw the force error of every model on every kind of structure, as PNG and as PDF.

    Parameters
    ----------
    errors
        ``loss``, ``seed``, ``config_type``, ``structure_id``, ``n_atoms`` and ``force_mae_norm`` in
        eV/Å, one row per model and structure.
    caption
        What was drawn, and from where; the counts are added.
    stem
        Path of the figure without its ending.

    Returns
    -------
    The files written.
    """
    counts = "Small: one structure. Large: all atoms of the kind, those of one are not independent."
    with journal_style():
        figure = new_figure(DOUBLE_COLUMN_INCH, 3.8)
        panel = figure.subplots()
        kinds = [kind for kind in KINDS if kind in errors["config_type"]]
        draw_models(panel, errors, kinds)
        panel.set_xticks(range(len(kinds)), [kind_label(errors, kind) for kind in kinds])
        panel.set_ylabel("Mean norm of the force error (meV/Å)")
        panel.set_yscale("log")
        number_log_axis(panel.yaxis, is_short=True)
        panel.grid(visible=True, axis="y")
        figure.legend(title="loss, seed", ncols=4, loc="outside upper center")
        figure.supxlabel(f"{caption}\n{counts}", fontsize=6)
        return save(figure, stem, FileFacts(TITLE, f"{caption} {counts}", caption))


def draw_models(panel: Axes, errors: pl.DataFrame, kinds: list[str]) -> None:
    """Draw the models beside each other on every kind."""
    models = errors.select("loss", "seed").unique().sort("loss", "seed").rows()
    losses = sorted({loss for loss, _ in models})
    width = WIDTH_OF_KIND / len(models)
    for place, (loss, seed) in enumerate(models):
        number = losses.index(loss)
        look = {"color": COLOURS[number], "marker": MARKERS[number], "linestyle": "none"}
        if seed != min(other for its_loss, other in models if its_loss == loss):
            look["markerfacecolor"] = "white"
        aside = (place - (len(models) - 1) / 2) * width
        draw_model(panel, errors.filter(loss=loss, seed=seed), kinds, aside, width, look)


def draw_model(
    panel: Axes,
    errors: pl.DataFrame,
    kinds: list[str],
    aside: float,
    width: float,
    look: dict[str, Any],
) -> None:
    """Draw one model, so far from the middle of each kind."""
    random = np.random.default_rng(0)  # the same places in every drawing
    means = {}
    for number, kind in enumerate(kinds):
        rows = errors.filter(config_type=kind)
        norms = rows["force_mae_norm"].to_numpy() * MEV
        places = number + aside + random.uniform(-0.28, 0.28, len(rows)) * width
        panel.plot(places, norms, ".", color=look["color"], alpha=0.3, markersize=3)
        means[number + aside] = np.average(norms, weights=rows["n_atoms"].to_numpy())
    loss, seed = errors.select("loss", "seed").row(0)
    label = f"{loss}, {seed}"
    panel.plot(list(means), list(means.values()), markeredgewidth=1.4, label=label, **look)


def kind_label(errors: pl.DataFrame, kind: str) -> str:
    """A kind and how many structures and atoms it has, counted once for all models."""
    once = errors.filter(config_type=kind).unique("structure_id")
    return f"{kind}\n{len(once)} structures\n{once['n_atoms'].sum():,} atoms"
