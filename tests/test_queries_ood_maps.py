"""The figures of out-of-distribution structures, read back from the figure objects and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from matplotlib.text import Text
from ood_map_samples import Sample, answer, measured, without_scores
from PIL import Image
from scipy.stats import spearmanr

from queries.figures.canvas import journal_style, save
from queries.figures.ood_boxes import draw_boxes_by_metadata, keys_of
from queries.figures.ood_captions import ood_caption
from queries.figures.ood_figures import draw_ood, full_caption, ood_facts
from queries.figures.ood_histograms import draw_histograms
from queries.figures.ood_maps import draw_maps
from queries.figures.ood_points import thinned, with_power
from queries.figures.ood_scatter import draw_scatter, pairs_of
from queries.ood.baseline import Settings
from queries.ood.selection import StructureSet

SMALL = Sample(n={"T1": 80, "T2": 40}, n_top=6)
QUICK = Settings(n_on_map=60)


@pytest.fixture(scope="module")
def both():
    return measured(SMALL, QUICK)


@pytest.fixture(autouse=True)
def style():
    with journal_style():
        yield


def texts(figure) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in figure.findobj(Text))


def placed(panel) -> list[np.ndarray]:
    """The points of every scatter in a panel."""
    return [np.asarray(points.get_offsets()) for points in panel.collections]


def test_all_files_are_there_with_what_they_rest_on(both, tmp_path: Path):
    result, found = both
    files = draw_ood(result, tmp_path / "figures", found)
    names = ["ood_histograms", "ood_boxes", "ood_scatter", "ood_maps"]
    assert [f.name for f in files] == [f"{n}.{end}" for n in names for end in ("png", "pdf")]
    for file in files[::2]:
        with Image.open(file) as picture:
            facts = picture.text
        assert "lake version 12" in facts["Keywords"]
        assert "n = 80 of T1, 40 of T2; 6 chosen" in facts["Description"]
        assert "Chosen are the 6 structures with" in facts["Description"]
        assert "mace-w1, mace-w2, mace-w3, mace-w4" in facts["Description"]


def test_without_a_baseline_there_are_no_maps(tmp_path: Path):
    files = draw_ood(answer(replace(SMALL, baseline=None)), tmp_path)
    assert not [file for file in files if "maps" in file.name]
    assert len(files) == 6


def test_maps_hold_every_structure_and_ring_the_chosen(both):
    result, found = both
    panels = draw_maps(result, found).axes
    expected = found.map.select("pca_1", "pca_2").to_numpy()
    drawn = np.concatenate(placed(panels[0])[:2])
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0))
    chosen = found.map.filter("is_chosen")
    assert len(chosen) == 6
    rings = placed(panels[0])[2]
    np.testing.assert_allclose(rings, chosen.select("pca_1", "pca_2").to_numpy())
    neighbours = np.concatenate(placed(panels[1])[:2])
    assert len(neighbours) == 60
    assert "b: 60 of 120 structures are drawn, at random, with all that were chosen." in texts(
        panels[0].figure
    )


def test_the_colours_of_the_density_are_its_values(both):
    _, found = both
    panel = draw_maps(*both).axes[2]
    points = panel.collections[0]
    expected = found.map.sort("negative_log_likelihood")
    np.testing.assert_allclose(points.get_array(), expected["negative_log_likelihood"])
    np.testing.assert_allclose(
        points.get_offsets(), expected.select("density_1", "density_2").to_numpy()
    )


def test_clusters_are_counted_in_the_legend(both):
    _, found = both
    panel = draw_maps(*both).axes[3]
    counts = found.map["cluster"].drop_nulls().value_counts().sort("cluster")
    said = [text.get_text() for text in panel.get_legend().get_texts()]
    assert said == [f"{cluster} (n = {n})" for cluster, n in counts.iter_rows()]


def test_histograms_count_the_structures_of_a_set(both):
    result, _ = both
    figure = draw_histograms(result)
    for panel, each in zip(figure.axes, result.selection.sets, strict=True):
        counts = panel.patches[0].get_data().values
        values = result.scores.filter(set=each.name)[result.score]
        assert counts.sum() == len(values)
        said = [text.get_text() for text in panel.get_legend().get_texts()]
        for line, (name, cut) in zip(said, result.cut_offs.items(), strict=True):
            assert line.startswith(name)
            assert line.endswith(f": {(values > cut).sum()} above")
        lines = [line.get_xdata()[0] for line in panel.lines]
        assert lines == pytest.approx(list(result.cut_offs.values()))


def test_narrow_scores_keep_the_bins_of_the_result():
    result = answer(SMALL)
    narrow = result.scores.with_columns((1 + pl.col(result.score)).alias(result.score))
    edges = np.linspace(1.0, 2.0, 51)
    bins = result.histogram.with_columns(
        low=np.tile(edges[:-1], 2), high=np.tile(edges[1:], 2), n_structures=pl.lit(3)
    )
    figure = draw_histograms(replace(result, scores=narrow, histogram=bins))
    np.testing.assert_allclose(figure.axes[0].patches[0].get_data().edges, edges)
    assert "50 bins of equal width" in texts(figure)


def test_all_counts_have_room_below_the_cut_offs(both):
    result, _ = both
    figure = draw_histograms(result)
    figure.draw_without_rendering()
    counts = [panel.patches[0].get_data().values.max() for panel in figure.axes]
    assert counts[0] != counts[1]  # what fits the first set need not fit the second
    for panel, most in zip(figure.axes, counts, strict=True):
        top_px = panel.transData.transform((0, most))[1]
        assert panel.get_legend().get_window_extent().y0 > top_px
    assert "mathdefault" not in texts(figure)


@pytest.mark.parametrize(
    ("label", "values", "expected"),
    [
        ("Distance", [0.0, 3e-3, -1e-3], "Distance (10⁻³)"),
        ("Energy (meV/atom)", [2e5, 1.9e5], "Energy (10⁵ meV/atom)"),
        ("Distance", [0.5, -20.0], "Distance"),
        ("Distance", [1e-9, 1e-3], "Distance"),  # logarithmic
        ("Distance", [0.0, None], "Distance"),
    ],
)
def test_numbers_of_an_axis_are_short(label, values, expected):
    series = pl.Series(values, dtype=pl.Float64)
    assert with_power(label, series) == expected


def test_numbers_of_an_axis_are_multiples_of_what_its_label_says(both):
    result, _ = both
    small = result.scores.with_columns(**{result.score: (1 + pl.col(result.score) / 100) * 1e-6})
    figure = draw_boxes_by_metadata(replace(result, scores=small))
    figure.draw_without_rendering()
    panel = figure.axes[0]
    assert panel.get_ylabel() == "Latent variance, trace (10⁻⁶)"
    said = [float(label.get_text().replace("−", "-")) for label in panel.get_yticklabels()]
    np.testing.assert_allclose(said, panel.get_yticks() * 1e6)


def test_boxes_are_quartiles_of_a_value_and_a_set(both):
    result, _ = both
    figure = draw_boxes_by_metadata(result)
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert titles == ["sets", "config_type", "facet", "termination", "temperature", "strain"]
    facets = figure.axes[2]
    rows = result.scores.filter(set="T2", facet="111")[result.score].to_numpy()
    box = facets.patches[-1].get_path().vertices[:, 1]
    assert box.min() == pytest.approx(np.quantile(rows, 0.25))
    assert box.max() == pytest.approx(np.quantile(rows, 0.75))
    ticks = [label.get_text() for label in facets.get_xticklabels()]
    assert ticks[2] == f"111\nn = {len(result.scores.filter(facet='111'))}"
    strains = [label.get_text().split()[0] for label in figure.axes[5].get_xticklabels()]
    assert strains == ["-3", "-1.5", "2", "none"]


def test_keys_of_one_value_or_of_too_many_are_named_not_drawn(both):
    result, _ = both
    more = result.scores.with_columns(one=pl.lit("a"), many=pl.int_range(pl.len()).cast(pl.String))
    result = replace(result, scores=more, metadata=(*result.metadata, "one", "many"))
    assert keys_of(result)[1] == ["one", "many"]
    assert "of room: one, many." in texts(draw_boxes_by_metadata(result))


def test_a_text_beside_its_number_has_no_panel_of_its_own(both):
    result, _ = both
    texts_of_strain = pl.col("strain").cast(pl.String).alias("strain_text")
    coarser = (pl.col("strain") > 0).alias("is_stretched")
    result = replace(
        result,
        scores=result.scores.with_columns(texts_of_strain, coarser),
        metadata=(*result.metadata, "strain_text", "is_stretched"),
    )
    shown, left_out = keys_of(result)
    assert shown[-2:] == ["strain", "is_stretched"]
    assert left_out == ["strain_text"]


def test_pairs_hold_the_structures_both_know(both):
    result, _ = both
    pairs = pairs_of(result)
    assert pairs[0].is_alike
    assert "MACE_T2" in pairs[0].y_label
    for pair, name in zip(pairs[1:], ("energy_disagreement", "force_disagreement"), strict=False):
        expected = spearmanr(result.scores[result.score], result.scores[name]).statistic
        assert pair.rank_correlation == pytest.approx(expected)
        assert pair.points["y"].sum() == pytest.approx(1000 * result.scores[name].sum())
    half = result.against.head(50)
    assert len(pairs_of(replace(result, against=half))[0].points) == 50


def test_a_power_stands_beside_the_score_and_not_in_a_name(both):
    result, _ = both
    small = pl.col(result.score) / pl.col(result.score).max() * 1e-7 + 1e-6
    scores, against = (
        frame.with_columns(small.alias(result.score)) for frame in (result.scores, result.against)
    )
    pair = pairs_of(replace(result, scores=scores, against=against))[0]
    assert pair.y_label.startswith("Latent variance, trace (10⁻⁶),\nby MACE_T2 (")


def test_structures_of_several_sets_are_said(both):
    result, _ = both
    assert "several sets" not in full_caption("ood_boxes", result)
    again = result.scores.filter(set="T2").head(3).with_columns(set=pl.lit("T1"))
    shared = replace(result, scores=pl.concat([result.scores, again]))
    said = "n = 83 of T1, 40 of T2; 6 chosen. 3 structures are in several sets: they count in each"
    assert said in full_caption("ood_boxes", shared)


def test_the_legend_of_sets_leaves_the_panels_their_room(both):
    for figure in (draw_scatter(both[0]), draw_maps(*both)):
        figure.draw_without_rendering()
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == ["T1", "T2", "chosen"]
        tops = [panel.get_window_extent().y1 for panel in figure.axes[:2]]
        assert legend.get_window_extent().y0 >= max(tops)
        assert legend.get_window_extent().y1 <= figure.bbox.y1


def test_what_is_not_known_is_left_out_and_said():
    sample = replace(SMALL, has_against=False, has_energies=False, has_metadata=False)
    result = answer(sample)
    assert "no other score" in texts(draw_scatter(result))
    nothing = without_scores(result, result.score)
    assert "no structure has this score" in texts(draw_histograms(nothing)).replace("\n", " ")
    assert "No structure has this score" in texts(draw_boxes_by_metadata(nothing))


def test_the_chosen_are_among_the_points_that_are_left():
    points = pl.DataFrame({"n": range(1000), "is_chosen": [i % 100 == 7 for i in range(1000)]})
    few = thinned(points, 50)
    assert len(few) == 50
    assert few["is_chosen"].sum() == 10
    assert few.equals(thinned(points, 50))
    assert thinned(points, 5)["n"].to_list() == list(range(7, 1000, 100))


def test_names_of_users_are_no_formulas(both):
    result, found = both
    strange = StructureSet("a$b_{c}$", "d", "x < '<script>' AND y > " + "1" * 300)
    selection = replace(result.selection, sets=(*result.selection.sets[:1], strange))
    renamed = pl.col("set").replace("T2", strange.name)
    scores, bins = (frame.with_columns(renamed) for frame in (result.scores, result.histogram))
    odd = replace(result, selection=selection, scores=scores, histogram=bins)
    placed = replace(found, map=found.map.with_columns(renamed))
    drawn = (draw_histograms(odd), draw_boxes_by_metadata(odd), draw_maps(odd, placed))
    for figure in drawn:
        figure.draw_without_rendering()
        assert "a$b_{c}$" in texts(figure)
    assert "… (in full in the metadata of this file)" in ood_caption(
        "ood_boxes", odd, longest_condition=100
    )
    assert "1" * 300 in full_caption("ood_boxes", odd)


def test_the_same_answer_gives_the_same_bytes(both, tmp_path: Path):
    result, found = both
    facts = ood_facts("ood_maps", result, found)
    first, again = (save(draw_maps(result, found), tmp_path / name, facts) for name in "ab")
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in again]


def test_points_of_thousands_make_no_large_files(tmp_path: Path):
    result, found = measured(Sample(n={"T1": 4000, "T2": 3000}), QUICK)
    files = save(draw_maps(result, found), tmp_path / "m", ood_facts("ood_maps", result, found))
    assert max(file.stat().st_size for file in files) < 2_000_000
    assert "5,000 of 7,000 structures are drawn" in full_caption("ood_maps", result, found)
