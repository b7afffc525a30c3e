"""The layout of figures of losses: type that is legible, inside the page, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from comparison_by_hand import compare_by_hand
from figure_readings import NAMES_OF_USERS, bars_by_axis, drawn_texts, in_style
from loss_samples import TWO, comparison

from queries.figures.looks import COLOURS, looks_of
from queries.figures.loss_figures import DRAWN
from queries.figures.publication import draw_publication
from queries.figures.regions import draw_ensemble
from queries.losses.result import LossComparison

pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")

style = pytest.fixture(in_style, autouse=True)
SMALLEST_TYPE = 6


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


def test_many_runs_are_drawn() -> None:
    sample = comparison(losses=[f"L{i}" for i in range(12)], n_structures=3, n_epochs=3)
    for draw in DRAWN.values():
        draw(sample)


def test_looks_differ_without_colour() -> None:
    looks = looks_of([str(number) for number in range(77)])
    assert len({(look.colour, look.marker) for look in looks.values()}) == 77
    first = list(looks.values())[: len(COLOURS)]
    assert len({look.marker for look in first}) == len({look.dashes for look in first}) == 7
