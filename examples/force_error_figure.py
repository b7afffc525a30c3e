"""How wrong forces are: a point per structure, and the mean over all atoms of a kind."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from examples.force_figure import save

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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    kinds = [kind for kind in KINDS if kind in errors["config_type"]]
    draw_models(panel, errors, kinds)
    panel.set_xticks(range(len(kinds)), [kind_label(errors, kind) for kind in kinds])
    panel.set_ylabel("Mean norm of the force error (meV/Å)")
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter("{x:g}")
    panel.grid(visible=True, axis="y", which="both", color="0.92", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.legend(title="loss, seed", fontsize=8, title_fontsize=8, ncols=2, loc="upper left")
    counts = "Small: one structure. Large: all atoms of the kind, those of one are not independent."
    figure.supxlabel(f"{caption}\n{counts}", fontsize=7)
    return save(figure, stem)


def draw_models(panel: Axes, errors: pl.DataFrame, kinds: list[str]) -> None:
    """Draw the models beside each other on every kind."""
    models = errors.select("loss", "seed").unique().sort("loss", "seed").rows()
    losses = sorted({loss for loss, _ in models})
    looks = dict(zip(losses, cycle(zip(COLOURS, MARKERS, strict=True)), strict=False))
    random = np.random.default_rng(0)  # points beside each other, the same in every drawing
    for place, (loss, seed) in enumerate(models):
        colour, marker = looks[loss]
        is_first = seed == min(s for other, s in models if other == loss)
        centres = []
        for number, kind in enumerate(kinds):
            rows = errors.filter(loss=loss, seed=seed, config_type=kind)
            step = WIDTH_OF_KIND / len(models)
            centre = number + (place - (len(models) - 1) / 2) * step
            aside = random.uniform(-0.28, 0.28, len(rows)) * step
            norms = rows["force_mae_norm"].to_numpy() * MEV
            panel.plot(centre + aside, norms, ".", color=colour, alpha=0.3, markersize=3)
            centres.append((centre, np.average(norms, weights=rows["n_atoms"].to_numpy())))
        panel.plot(
            *zip(*centres, strict=True),
            marker,
            color=colour,
            markerfacecolor=colour if is_first else "white",
            markeredgewidth=1.4,
            label=f"{loss}, {seed}",
        )


def kind_label(errors: pl.DataFrame, kind: str) -> str:
    """A kind and how many structures and atoms it has, counted once for all models."""
    once = errors.filter(config_type=kind).unique("structure_id")
    return f"{kind}\n{len(once)} structures\n{once['n_atoms'].sum():,} atoms"
