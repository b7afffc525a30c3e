"""The figure of maps: where structures lie in the space of latents, with the chosen marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from queries.figures.canvas import DOUBLE_COLUMN_INCH
from queries.figures.looks import COLOURS, MARKERS, Look
from queries.figures.ood_captions import LONGEST_CONDITION, ood_caption
from queries.figures.ood_points import (
    MOST_POINTS,
    POINT_SIZE,
    draw_rings,
    draw_set_legend,
    draw_sets,
    scale_axis,
    set_looks,
    thinned,
    thinning_note,
    with_power,
)
from queries.figures.page import letter, say, start_with
from queries.ood.baseline.mixture import log_density
from queries.ood.baseline.scoring import BaselineScores
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

GRID = 300
DECADES = 5
PALE = "0.82"
# The colours stop at the likeliest 99 %: a structure far out must not make all others one colour.
HIGHEST_SHARE = 0.99


def draw_maps(result: OodScores, measured: BaselineScores) -> Figure:
    """Draw maps by set, by neighbourhood, by density and by cluster."""
    footnote = ood_caption(
        "ood_maps", result, maps_note(measured), longest_condition=LONGEST_CONDITION
    )
    figure = start_with(footnote, DOUBLE_COLUMN_INCH, 5.6)
    panels = figure.subplots(2, 2)
    points = thinned(measured.map)
    looks = set_looks(result)
    draw_components(panels[0][0], points, looks, measured)
    draw_neighbourhoods(panels[0][1], measured.map, looks)
    draw_density(panels[1][0], points, measured)
    draw_clusters(panels[1][1], points, measured)
    draw_set_legend(figure, panels[0][0], looks)
    for panel, name in zip(panels.flat, "abcd", strict=True):
        letter(panel, name)
    return figure


def maps_note(measured: BaselineScores) -> str:
    """What is particular to these maps: the models, their seed, and what is not drawn."""
    settings, baseline = measured.baseline.settings, measured.baseline
    n_known = len(measured.map)
    n_placed = n_known - measured.map["t_sne_1"].null_count()
    models = (
        f"Baseline {baseline.origin.set}: {len(baseline.vectors):,} structures, {baseline.n_kept} "
        f"components explain {baseline.kept.explained:.0%}; seed {settings.seed}."
    )
    parts = [
        models,
        thinning_note(min(MOST_POINTS, n_known), n_known, "a, c, d: "),
        thinning_note(n_placed, n_known, "b: ") if n_placed else "",
    ]
    return " ".join(part for part in parts if part)


def draw_components(
    panel: Axes, points: pl.DataFrame, looks: dict[str, Look], measured: BaselineScores
) -> None:
    """Draw sets along the widest components."""
    draw_sets(panel, points, looks, "pca_1", "pca_2")
    draw_rings(panel, points, "pca_1", "pca_2")
    _name_components(panel, measured)


def draw_neighbourhoods(panel: Axes, points: pl.DataFrame, looks: dict[str, Look]) -> None:
    """Draw sets on the map of neighbours."""
    placed = points.drop_nulls("t_sne_1")
    if placed.is_empty():
        say(panel, "No map of neighbours was made.")
        return
    draw_sets(panel, placed, looks, "t_sne_1", "t_sne_2")
    draw_rings(panel, placed, "t_sne_1", "t_sne_2")
    panel.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")


def draw_density(panel: Axes, points: pl.DataFrame, measured: BaselineScores) -> None:
    """Draw points by their likelihood over contours of the density of the baseline."""
    rows = points.sort("negative_log_likelihood")
    values = rows["negative_log_likelihood"].to_numpy()
    highest = np.quantile(measured.map["negative_log_likelihood"].to_numpy(), HIGHEST_SHARE)
    drawn = panel.scatter(
        rows["density_1"],
        rows["density_2"],
        POINT_SIZE,
        values,
        cmap="cividis_r",
        vmin=values.min(),
        vmax=max(float(highest), values.min() + 1e-9),
        linewidths=0,
        zorder=2,  # over the contours, which are dense where a Gaussian is narrow
        rasterized=True,
    )
    draw_rings(panel, points, "density_1", "density_2")
    panel.margins(0.12)  # room for the contours
    _draw_contours(panel, measured)
    is_cut = values.max() > highest
    bar = panel.figure.colorbar(drawn, ax=panel, extend="max" if is_cut else "neither")
    bar.set_label("−log likelihood (nats)")
    bar.outline.set_linewidth(0.6)
    panel.set(xlabel="Density, component 1", ylabel="Density, component 2")


def draw_clusters(panel: Axes, points: pl.DataFrame, measured: BaselineScores) -> None:
    """Draw the clusters of the most uncertain structures; all others pale."""
    others = points.filter(pl.col("cluster").is_null())
    panel.scatter(others["pca_1"], others["pca_2"], POINT_SIZE, PALE, linewidths=0, rasterized=True)
    counts = measured.map["cluster"].drop_nulls().value_counts().sort("cluster")
    for place, (cluster, n) in enumerate(counts.iter_rows()):
        rows = points.filter(cluster=cluster)
        panel.scatter(
            rows["pca_1"],
            rows["pca_2"],
            1.6 * POINT_SIZE,
            COLOURS[place % len(COLOURS)],
            marker=MARKERS[place % len(MARKERS)],
            linewidths=0,
            rasterized=True,
            label=f"{cluster} (n = {n:,})",
        )
    draw_rings(panel, points, "pca_1", "pca_2")
    _name_components(panel, measured)
    panel.legend(
        title="Cluster",
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        handletextpad=0.2,
        alignment="left",
    )


def _name_components(panel: Axes, measured: BaselineScores) -> None:
    kept = measured.baseline.kept
    shares = kept.variances / kept.total_variance
    x, y = measured.map["pca_1"], measured.map["pca_2"]
    panel.locator_params(axis="x", nbins=5)  # long numbers side by side
    scale_axis(panel, x, "x")
    panel.set_xlabel(f"{with_power('Component 1', x)}, {shares[0]:.0%} of the variance")
    if len(shares) > 1:
        scale_axis(panel, y, "y")
        panel.set_ylabel(f"{with_power('Component 2', y)}, {shares[1]:.0%}")
    else:
        panel.set(yticks=[], ylabel="one component suffices")


def _draw_contours(panel: Axes, measured: BaselineScores) -> None:
    """Contours of the density over the first two of its components, the others summed out."""
    mixture = measured.baseline.mixture
    if mixture.means.shape[1] < 2:
        return
    (left, right), (low, high) = panel.get_xlim(), panel.get_ylim()
    x, y = np.meshgrid(np.linspace(left, right, GRID), np.linspace(low, high, GRID))
    logs = log_density(
        np.column_stack([x.ravel(), y.ravel()]),
        mixture.weights,
        mixture.means[:, :2],
        mixture.covariances[:, :2, :2],
    ).reshape(x.shape) / np.log(10)
    top = np.floor(2 * logs.max()) / 2
    levels = top - np.arange(DECADES)[::-1]
    panel.contour(x, y, logs, levels, colors="0.35", linewidths=0.5, linestyles="-", zorder=1)
