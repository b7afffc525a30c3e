"""How large forces are: the share of atoms whose force is greater, one line per kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of Okabe and Ito, told apart with any colour vision; the dashes tell them apart in grey.
STYLES = {
    "bulk": ("#000000", "-"),
    "vac": ("#0072B2", "--"),
    "sia_octahedral": ("#D55E00", "-."),
    "sia_dumbbell": ("#009E73", ":"),
}
RESOLUTION_DPI = 200


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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    elements = forces["element"].unique().sort().to_list()
    figure = Figure(figsize=(3.6 * len(elements), 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(elements), sharex=True, sharey=True, squeeze=False)[0]
    for panel, element in zip(panels, elements, strict=True):
        draw_panel(panel, element, forces.filter(element=element))
    panels[0].set_ylabel("Share of atoms with a greater force")
    atoms, structures = len(forces), forces["structure_id"].n_unique()
    counts = f"n = {atoms:,} atoms in {structures:,} structures (atoms of one are not independent)"
    figure.supxlabel(f"{caption}\n{counts}", fontsize=7)
    return save(figure, stem)


def draw_panel(panel: Axes, element: str, forces: pl.DataFrame) -> None:
    """Draw the kinds of one element."""
    for config_type, (colour, dashes) in STYLES.items():
        kind = forces.filter(config_type=config_type)
        if kind.is_empty():
            continue
        greatest_first = np.sort(kind["force"].to_numpy())[::-1]
        share = np.arange(1, len(kind) + 1) / len(kind)
        label = f"{config_type} ({kind['structure_id'].n_unique()}; {len(kind):,})"
        panel.step(
            greatest_first, share, color=colour, linestyle=dashes, label=label, linewidth=1.4
        )
    panel.set(title=element, xlabel="|F| (eV/Å)", yscale="log")
    panel.grid(visible=True, which="major", color="0.9", linewidth=0.6)
    panel.legend(title="kind (structures; atoms)", fontsize=7, title_fontsize=7, loc="upper right")


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as PNG and as PDF; the files."""
    files = [stem.with_suffix(ending) for ending in (".png", ".pdf")]
    for file in files:
        figure.savefig(file, dpi=RESOLUTION_DPI)
    return files
