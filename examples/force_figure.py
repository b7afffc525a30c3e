"""How large forces are: the share of atoms whose force is greater, one line per kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from queries.figures.canvas import FileFacts, journal_style, new_figure, number_log_axis, save

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes

# Colours of Okabe and Ito, told apart with any colour vision; the dashes tell them apart in grey.
STYLES = {
    "bulk": ("#000000", "-"),
    "vac": ("#0072B2", "--"),
    "sia_octahedral": ("#D55E00", "-."),
    "sia_dumbbell": ("#009E73", ":"),
}
TITLE = "How large forces are"


def draw_forces(forces: pl.DataFrame, caption: str, stem: Path) -> list[Path]:
    """Draw the share of atoms with a greater force, a panel per element, as PNG and as PDF.

    Parameters
    ----------
    forces
        ``element``, ``config_type``, ``structure_id`` and ``force`` in eV/Å, one row per atom.
    caption
        What was drawn, and from where; the counts are added.
    stem
        Path of the figure without its ending.

    Returns
    -------
    The files written.
    """
    elements = forces["element"].unique().sort().to_list()
    atoms, structures = len(forces), forces["structure_id"].n_unique()
    counts = f"n = {atoms:,} atoms in {structures:,} structures (atoms of one are not independent)"
    with journal_style():
        figure = new_figure(3.6 * len(elements), 3.4)
        panels = figure.subplots(1, len(elements), sharex=True, sharey=True, squeeze=False)[0]
        for panel, element in zip(panels, elements, strict=True):
            draw_panel(panel, element, forces.filter(element=element))
        panels[0].set_ylabel("Share of atoms with a greater force")
        figure.supxlabel(f"{caption}\n{counts}", fontsize=6)
        return save(figure, stem, FileFacts(TITLE, f"{caption} {counts}", caption))


def draw_panel(panel: Axes, element: str, forces: pl.DataFrame) -> None:
    """Draw the kinds of one element."""
    for config_type, (colour, dashes) in STYLES.items():
        kind = forces.filter(config_type=config_type)
        if kind.is_empty():
            continue
        greatest_first = np.sort(kind["force"].to_numpy())[::-1]
        share = np.arange(1, len(kind) + 1) / len(kind)
        label = f"{config_type} ({kind['structure_id'].n_unique()}; {len(kind):,})"
        panel.step(greatest_first, share, color=colour, linestyle=dashes, label=label)
    panel.set(title=element, xlabel="|F| (eV/Å)", yscale="log")
    number_log_axis(panel.yaxis, is_short=False)
    panel.grid(visible=True)
    panel.legend(title="kind (structures; atoms)", loc="upper right")
