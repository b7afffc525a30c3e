"""Figures of a comparison of losses, read back from what was drawn."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from comparison_by_hand import compare_by_hand
from loss_samples import SIX, TRAINING_SCHEMA, TWO, comparison

from lake.errors import InvalidInputError, StorageError
from queries.figures import draw_losses
from queries.figures.bars import three_digits
from queries.figures.canvas import journal_style, save
from queries.figures.captions import caption_of, footnote_of
from queries.figures.curves import MOST_POINTS, curves_of
from queries.figures.distributions import density, draw_distributions
from queries.figures.looks import COLOURS, looks_of, short
from queries.figures.loss_figures import DRAWN, file_facts
from queries.figures.publication import draw_publication
from queries.figures.regions import draw_ensemble, draw_reproducibility, draw_three_regions
from queries.figures.significance import draw_matrix, short_p, with_spread
from queries.figures.training import draw_training
from queries.losses.result import LossComparison

pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")

MEV = 1000.0
SMALLEST_TYPE = 6
NAMES_OF_USERS = ("<script>alert(1)</script>", "cost $5 and $6", "two\nlines", "损失", "x" * 80)


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    with journal_style():
        yield


def drawn_bars(panel: Any) -> dict[str, float]:
    """Names and heights of the bars of a panel; those of a legend have no names."""
    return {
        patch.get_label().removeprefix("_"): patch.get_height()
        for container in panel.containers
        if hasattr(container, "patches")
        for patch in container.patches
        if container.get_label().startswith("_") and patch.get_height() > 0
    } or {}


def bars_by_axis(panel: Any) -> dict[str, float]:
    """The same by what the axis says under each bar, which need not be what the bar is called."""
    names = [text.get_text() for text in panel.get_xticklabels()]
    places = panel.get_xticks()
    found = {}
    for patch in panel.patches:
        if patch.get_height() > 0:
            middle = patch.get_x() + patch.get_width() / 2
            found[names[int(np.argmin(np.abs(places - middle)))]] = patch.get_height()
    return found


def texts_of(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def error_bars(figure: Any) -> int:
    from matplotlib.container import ErrorbarContainer

    return sum(
        isinstance(container, ErrorbarContainer)
        for panel in figure.axes
        for container in panel.containers
    )


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


def test_captions_count_the_structures_that_have_a_region(tmp_path: Path) -> None:
    assert "n = 50 structures × 3 seeds of 2 losses." in caption_of("publication", comparison(TWO))
    without = caption_of("publication", comparison(TWO, has_bulk=False))
    assert "n = 50 structures (atoms of defect in 50, bulk in 0) × 3 seeds" in without
    real = compare_by_hand(tmp_path)
    assert "n = 2 structures (atoms of defect in 1, bulk in 2) ×" in caption_of("publication", real)
    three = caption_of("three_regions", real)
    assert "n = 2 structures (atoms of core in 2, shell in 2, bulk in 1) ×" in three


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


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(comparison, id="six losses"),
        pytest.param(lambda: comparison(losses=TWO, n_seeds=2), id="two losses"),
        pytest.param(lambda: comparison(losses=NAMES_OF_USERS, n_seeds=2), id="names of users"),
        pytest.param(lambda: comparison(losses=TWO, n_structures=2, n_epochs=2), id="least"),
        pytest.param(
            lambda: comparison(losses=[f"loss_number_{i}" for i in range(10)], n_structures=10),
            id="ten losses",
        ),
    ],
)
def test_type_is_legible_and_inside_the_page(sample: Callable[[], LossComparison]) -> None:
    made = sample()
    for name, draw in DRAWN.items():
        figure = draw(made)
        figure.draw_without_rendering()
        page = figure.bbox
        for text in drawn_texts(figure):
            assert "mathdefault" not in text.get_text(), (name, text)
            assert text.get_fontsize() >= SMALLEST_TYPE, (name, text)
            box = text.get_window_extent()
            assert box.x0 >= page.x0 - 1, (name, text)
            assert box.y0 >= page.y0 - 1, (name, text)
            assert box.x1 <= page.x1 + 1, (name, text)
            assert box.y1 <= page.y1 + 1, (name, text)


def drawn_texts(figure: Any) -> list[Any]:
    """The texts on the page: matplotlib keeps ticks beyond the limits of an axis, undrawn."""
    from matplotlib.text import Text

    kept = set()
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            kept |= {*axis.findobj(Text)}
            if panel.axison:
                shown = axis._update_ticks()
                kept -= {axis.label, *[label for t in shown for label in (t.label1, t.label2)]}
    texts = [text for text in figure.findobj(Text) if text not in kept]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def test_the_names_over_the_ticks_of_two_bars_do_not_touch() -> None:
    figure = draw_publication(comparison())
    figure.draw_without_rendering()
    for panel in figure.axes[:3]:
        boxes = [
            text.get_window_extent() for text in panel.texts if text.get_fontweight() != "bold"
        ]
        for first, second in pairwise(boxes):
            assert not first.overlaps(second)
    legend = figure.legends[0].get_window_extent()
    letters = [t for panel in figure.axes for t in panel.texts if t.get_fontweight() == "bold"]
    assert [text.get_text() for text in letters if len(text.get_text()) == 1] == [*"abcdefghi"]
    assert not any(legend.overlaps(text.get_window_extent()) for text in letters)


def test_a_real_comparison_is_drawn_whole(tmp_path: Path) -> None:
    sample = compare_by_hand(tmp_path)
    for name, draw in DRAWN.items():
        figure = draw(sample)
        figure.draw_without_rendering()
        for text in drawn_texts(figure):
            assert "mathdefault" not in text.get_text(), (name, text)
    heights = bars_by_axis(draw_ensemble(sample).axes[0])
    assert heights == {"Huber": pytest.approx(250), "MSE": pytest.approx(300)}  # meV/Å


def test_every_axis_has_a_name() -> None:
    for name, draw in DRAWN.items():
        figure = draw(comparison())
        for panel in figure.axes:
            if panel.axison and name != "publication":
                shared = panel.get_subplotspec().colspan.start > 0 and name == "error_distributions"
                assert panel.get_ylabel() or shared, name


def test_files_hold_their_origin(tmp_path: Path) -> None:
    from PIL import Image

    sample = comparison(losses=TWO, n_seeds=2)
    files = draw_losses(sample, tmp_path / "figures")
    assert [file.name for file in files] == [f"{n}.{e}" for n in DRAWN for e in ("png", "pdf")]
    widths = {name: 3.5 if name == "reproducibility" else 7.2 for name in DRAWN}
    for png, pdf in zip(files[::2], files[1::2], strict=True):
        with Image.open(png) as image:
            assert image.width == round(widths[png.stem] * 300)
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            assert image.info["Description"] == caption_of(png.stem, sample)
            assert "lakes/demo at version 17" in image.info["Description"]
            assert "n_atoms > 100" in image.info["Description"]
            assert "n = 50 structures × 2 seeds of 2 losses" in image.info["Description"]
        content = pdf.read_bytes()
        assert b"lake version 17" in content
        assert b"/FontFile2" in content  # type 42: the outlines themselves
        assert b"/Type3" not in content


def test_a_file_where_figures_should_go_is_told(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("mine")
    with pytest.raises(StorageError, match=r"figures: .*exists.*Expected a folder for figures"):
        draw_losses(comparison(losses=TWO, n_structures=5), tmp_path / "figures")
    assert (tmp_path / "figures").read_text() == "mine"


def test_the_same_figure_has_the_same_bytes(tmp_path: Path) -> None:
    sample = comparison(losses=TWO, n_structures=5)
    facts = file_facts("ensemble_comparison", sample)
    first, second = (
        save(draw_ensemble(sample), tmp_path / name, facts) for name in ("first.of", "second.of")
    )
    assert [file.name for file in first] == ["first.of.png", "first.of.pdf"]
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def test_what_users_named_is_drawn_as_it_stands(tmp_path: Path) -> None:
    sample = comparison(losses=NAMES_OF_USERS, n_seeds=2, n_structures=5, where="x = '$a$' -- 损失")
    figure = draw_ensemble(sample)
    save(figure, tmp_path / "figure", file_facts("ensemble_comparison", sample))
    assert {"cost $5 and $6", "two lines"} <= set(texts_of(figure))


def test_many_runs_are_drawn() -> None:
    sample = comparison(losses=[f"L{i}" for i in range(12)], n_structures=3, n_epochs=3)
    for draw in DRAWN.values():
        draw(sample)


def test_settings_of_the_user_stay() -> None:
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 31, "pdf.fonttype": 3}):
        before = dict(mpl.rcParams)
        with journal_style():
            assert mpl.rcParams["font.size"] == 7
            assert mpl.rcParams["pdf.fonttype"] == 42
        assert dict(mpl.rcParams) == before


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(InvalidInputError, match=r"atomlake\[plots\]"):
        draw_losses(comparison(losses=TWO, n_structures=2), tmp_path)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("mine")
    with pytest.raises(OSError, match="figures"):
        draw_losses(comparison(losses=TWO, n_structures=2), tmp_path / "figures")
    folder = tmp_path / "there"
    (folder / "ensemble_comparison.png").mkdir(parents=True)
    with pytest.raises((StorageError, InvalidInputError), match=r"ensemble_comparison\.png"):
        draw_losses(comparison(losses=TWO, n_structures=2), folder)


def test_a_long_condition_is_cut_in_the_figure_and_whole_in_the_caption() -> None:
    where = " AND ".join(f"n_atoms <> {number}" for number in range(100))
    sample = comparison(losses=TWO, n_structures=2, where=where)
    assert where in caption_of("publication", sample)
    assert where not in footnote_of("publication", sample)
    assert "… (in full in the metadata of this file)" in footnote_of("publication", sample)


def test_looks_differ_without_colour() -> None:
    looks = looks_of([str(number) for number in range(77)])
    assert len({(look.colour, look.marker) for look in looks.values()}) == 77
    first = list(looks.values())[: len(COLOURS)]
    assert len({look.marker for look in first}) == len({look.dashes for look in first}) == 7


def row(model: str, loss: str, step: int, epoch: float | None, value: float) -> dict[str, Any]:
    return {"loss": loss, "model": model, "step": step, "epoch": epoch, "value": value}


def curve(rows: list[dict[str, Any]], kind: str = "validation_loss") -> pl.DataFrame:
    filled = [{**dict.fromkeys(TRAINING_SCHEMA), "curve": kind, **each} for each in rows]
    return pl.DataFrame(filled, schema=TRAINING_SCHEMA)


def test_curves_average_a_run_first_and_then_the_runs() -> None:
    rows = [
        row("a", "MSE", 0, None, 8.0),  # belongs to the first epoch
        row("a", "MSE", 1, 0.0, 4.0),
        row("a", "MSE", 2, 1.0, 3.0),
        row("b", "MSE", 0, 0.0, 2.0),
        row("b", "MSE", 1, 1.0, math.nan),
        row("b", "MSE", 2, 2.0, math.inf),
    ]
    found = curves_of(curve(rows), "validation_loss")
    assert found.axis == "Epoch"
    assert found.rows.drop("loss").rows() == [
        # x, mean of 6 and 2, low, high, sample deviation, runs
        (0.0, 4.0, 2.0, 6.0, pytest.approx(math.sqrt(8)), 2),
        (1.0, 3.0, 3.0, 3.0, None, 1),
    ]
    assert found.is_positive


def test_curves_go_by_step_where_a_run_knows_no_epochs() -> None:
    rows = [row("a", "MSE", 5, 1.0, -1.0), row("b", "MSE", 5, None, 3.0)]
    found = curves_of(curve(rows), "validation_loss")
    assert found.axis == "Step"
    assert found.rows.select("x", "mean", "n_seeds").rows() == [(5.0, 1.0, 2)]
    assert not found.is_positive
    assert curves_of(curve(rows), "train_loss").rows.is_empty()


def test_long_curves_are_averaged_not_sampled() -> None:
    values = np.random.default_rng(1).uniform(1, 2, 10_000)
    rows = [row("a", "MSE", step, None, value) for step, value in enumerate(values)]
    found = curves_of(curve(rows), "validation_loss").rows
    assert len(found) == MOST_POINTS
    assert found["mean"].mean() == pytest.approx(values.mean(), rel=1e-3)


def test_averaging_does_not_bring_seeds_closer() -> None:
    rows = [
        row(model, "MSE", step, float(step), 1.0 + 2.0 * ((step + shift) % 2))
        for shift, model in enumerate("ab")
        for step in range(10 * MOST_POINTS)
    ]
    found = curves_of(curve(rows), "validation_loss").rows
    assert len(found) == MOST_POINTS
    for column, expected in (("mean", 2), ("low", 1), ("high", 3), ("std", math.sqrt(2))):
        assert found[column].to_list() == pytest.approx([expected] * MOST_POINTS)


def test_density_integrates_to_one_and_is_zero_where_no_atoms_are() -> None:
    edges = 10 ** np.arange(-3, 0.01, 0.05)
    bins = pl.DataFrame(
        {
            "low": [0.0, edges[4], edges[10]],
            "high": [edges[0], edges[5], edges[11]],
            "n_atoms": [1, 3, 4],
        }
    )
    found, shares = density(bins[[2, 0, 1]])
    assert (shares * np.diff(np.log10(found))).sum() == pytest.approx(1)
    assert shares == pytest.approx([1 / 8 / 0.05, 0, 3 / 8 / 0.05, 0, 4 / 8 / 0.05])
    assert np.all(np.diff(found) > 0)


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
