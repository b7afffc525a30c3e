"""Figures of a comparison of losses: the numbers in them, read back from what was drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from figure_readings import MEV, bars_by_axis, error_bars, in_style, texts_of
from loss_samples import SIX, TWO, comparison

from queries.figures.bars import three_digits
from queries.figures.captions import caption_of
from queries.figures.distributions import draw_distributions
from queries.figures.looks import short
from queries.figures.loss_figures import DRAWN
from queries.figures.regions import draw_ensemble, draw_reproducibility, draw_three_regions
from queries.figures.significance import draw_matrix, short_p, with_spread
from queries.figures.training import draw_training

pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")

style = pytest.fixture(in_style, autouse=True)


@pytest.mark.parametrize("order", [1, -1])
def test_bars_have_the_heights_of_their_names(order: int) -> None:
    sample = comparison()
    table = sample.tables["ensemble_summary"][::order]
    shuffled = replace(sample, tables={**sample.tables, "ensemble_summary": table})
    figure = draw_ensemble(shuffled)
    for panel, measure in zip(figure.axes, ("defect_mae", "bulk_mae", "ratio"), strict=True):
        factor = 1 if measure == "ratio" else MEV
        expected = {
            loss: pytest.approx(mean * factor)
            for loss, mean in table.select("loss", f"{measure}_mean").iter_rows()
        }
        assert bars_by_axis(panel) == expected
        written = [text.get_text() for text in panel.texts]
        assert written == [three_digits(value.expected) for value in expected.values()]


def test_error_bars_span_the_spread_over_seeds() -> None:
    sample = comparison()
    panel = draw_ensemble(sample).axes[0]
    rows = sample.tables["ensemble_summary"].select("defect_mae_mean", "defect_mae_std_over_seeds")
    spans = [c.lines[2][0].get_segments()[0][:, 1] for c in panel.containers if hasattr(c, "lines")]
    expected = [[(mean - std) * MEV, (mean + std) * MEV] for mean, std in rows.iter_rows()]
    assert np.allclose(spans, expected)


def test_circles_are_the_means_of_the_models() -> None:
    sample = comparison()
    panel = draw_ensemble(sample).axes[0]
    circles = [line.get_ydata() for line in panel.lines if line.get_marker() == "o"]
    drawn = sorted(value for each in circles for value in each)
    assert np.allclose(drawn, sorted(sample.tables["summary_statistics"]["defect_mae_mean"] * MEV))


def test_one_seed_has_no_error_bars_and_says_so() -> None:
    sample = comparison(n_seeds=1)
    for name, draw in DRAWN.items():
        assert error_bars(draw(sample)) == 0, name
    assert "No error bars: one seed per loss." in caption_of("ensemble_comparison", sample)
    said = " ".join(" ".join(texts_of(draw_reproducibility(sample))).split())
    assert "One seed per loss: its spread over seeds is not known." in said
    assert error_bars(draw_ensemble(comparison())) == 3 * len(SIX)


def test_a_loss_of_one_seed_beside_others() -> None:
    sample = comparison(losses=TWO)
    without = {
        name: table.with_columns(
            pl.when(pl.col("loss") == "MSE").then(None).otherwise(pl.col(column)).alias(column)
            for column in table.columns
            if column.endswith(("_std_over_seeds", "_variation"))
        ).with_columns(
            n_seeds=pl.when(pl.col("loss") == "MSE").then(1).otherwise(pl.col("n_seeds"))
        )
        for name in ("ensemble_summary", "reproducibility")
        for table in [sample.tables[name]]
    }
    mixed = replace(sample, tables={**sample.tables, **without})
    assert error_bars(draw_ensemble(mixed)) == 3
    assert texts_of(draw_reproducibility(mixed)).count("one seed") == 3
    assert "(none where a loss has one seed)" in caption_of("ensemble_comparison", mixed)
    assert "1 to 3 seeds of 2 losses" in caption_of("ensemble_comparison", mixed)


def test_an_empty_region_is_a_gap_with_a_note() -> None:
    sample = comparison(losses=TWO, has_bulk=False)
    defect, bulk, ratio = draw_ensemble(sample).axes
    assert set(bars_by_axis(defect)) == set(TWO)
    for panel in (bulk, ratio):
        assert bars_by_axis(panel) == {}
        assert [text.get_text() for text in panel.texts] == ["no atoms"] * 2
    legends = [p.get_legend().get_texts() for p in draw_distributions(sample).axes if p.axison]
    assert all(texts[1].get_text() == "bulk: no atoms" for texts in legends)


def test_three_regions_are_drawn_from_their_rows() -> None:
    sample = comparison(losses=TWO)
    left, right = draw_three_regions(sample).axes
    heights = [p.get_height() * 1 for p in left.patches if p.get_height() > 0]
    rows = sample.tables["errors_by_loss"].filter(scheme="legacy-3")
    expected = [
        rows.filter(loss=loss, region=region)["mae_mean_over_structures"].item() * MEV
        for loss in TWO
        for region in ("core", "shell", "bulk")
    ]
    assert heights == pytest.approx(expected)
    ratios = sample.tables["ratios_by_loss"].filter(ratio="core/bulk")
    assert bars_by_axis(right) == {
        loss: pytest.approx(mean)
        for loss, mean in ratios.select("loss", "mean_over_structures").iter_rows()
    }


def test_variation_is_in_per_cent() -> None:
    sample = comparison(losses=TWO)
    panel = draw_reproducibility(sample).axes[0]
    heights = [patch.get_height() for patch in panel.patches if patch.get_height() > 0]
    rows = sample.tables["reproducibility"]
    columns = [f"{m}_variation" for m in ("defect_mae", "bulk_mae", "ratio")]
    assert heights == pytest.approx([100 * v for row in rows.select(columns).rows() for v in row])


def test_without_training_the_panels_say_so() -> None:
    sample = comparison(has_training=False)
    said = " ".join(" ".join(texts_of(draw_training(sample))).split())
    assert said.count("No validation losses are known of these models.") == 3
    assert "No training losses are known of these models." in said
    assert all(not panel.lines for panel in draw_training(sample).axes[:5])


def test_a_run_that_never_ended_is_drawn_open() -> None:
    sample = comparison(losses=TWO)
    first = sample.tables["training_summary"]["run_name"][0]
    states = sample.tables["training_summary"].with_columns(
        state=pl.when(pl.col("run_name") == first).then(pl.lit("running")).otherwise("state")
    )
    figure = draw_training(replace(sample, tables={**sample.tables, "training_summary": states}))
    faces = {line.get_label(): line.get_markerfacecolor() for line in figure.axes[4].lines}
    assert faces.pop(f"_{first}") == "white"
    assert "white" not in faces.values()


def test_the_matrix_says_who_errs_less_in_whichever_order_a_test_was_made() -> None:
    from queries.figures.canvas import new_figure

    sample = comparison(losses=("A", "B", "C"), n_structures=3)
    rows = [
        ("defect_mae", "A", "B", 0.01, 0.0004),  # A errs more
        ("defect_mae", "C", "A", 0.01, 0.0312),  # C errs more than A
        ("defect_mae", "B", "C", 0.01, 0.2),
        ("ratio", "A", "B", -0.5, 1.0),
    ]
    names = ["measure", "loss_1", "loss_2", "mean_diff", "p_permutation_holm"]
    tests = pl.DataFrame(rows, schema=names, orient="row")
    panel = new_figure(2, 2).subplots()
    draw_matrix(panel, replace(sample, tables={**sample.tables, "paired_tests": tests}))
    cells = {text.get_position(): text.get_text() for text in panel.texts}
    # Columns A, B; rows B, C.
    assert cells == {(0, 0): "▼\n<.001", (0, 1): "▲\n.031", (1, 1): "≈\n.200"}


def test_numbers_as_text() -> None:
    assert [three_digits(v) for v in (59.94, 0.0123, 123.4, 12345.0, 0.0)] == [
        "59.9",
        "0.0123",
        "123",
        "12,345",
        "0.00",
    ]
    assert [short_p(p) for p in (0.0009, 0.0234, 1.0)] == ["<.001", ".023", "1"]
    assert with_spread(0.0599, 0.00104, MEV) == "59.9±1.0"
    assert with_spread(0.0599, None, MEV) == "59.9"
    assert with_spread(0.0599, 0.00001, MEV) == "59.9±0.01"
    assert with_spread(0.0599, 0.0, MEV) == "59.9±0.0"
    assert with_spread(None, None, MEV) == "–"
    assert short("a" * 10 + "b" * 10, 9) == "aaaaa…bbb"
