"""Files of figures of losses: their metadata, captions, and where they cannot be written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from comparison_by_hand import compare_by_hand
from figure_readings import NAMES_OF_USERS, in_style, texts_of
from loss_samples import TWO, comparison

from lake.errors import InvalidInputError, StorageError
from queries.figures import draw_losses
from queries.figures.canvas import journal_style, save
from queries.figures.captions import caption_of, footnote_of
from queries.figures.loss_figures import DRAWN, file_facts
from queries.figures.regions import draw_ensemble

pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")

style = pytest.fixture(in_style, autouse=True)


def test_captions_count_the_structures_that_have_a_region(tmp_path: Path) -> None:
    assert "n = 50 structures × 3 seeds of 2 losses." in caption_of("publication", comparison(TWO))
    without = caption_of("publication", comparison(TWO, has_bulk=False))
    assert "n = 50 structures (atoms of defect in 50, bulk in 0) × 3 seeds" in without
    real = compare_by_hand(tmp_path)
    assert "n = 2 structures (atoms of defect in 1, bulk in 2) ×" in caption_of("publication", real)
    three = caption_of("three_regions", real)
    assert "n = 2 structures (atoms of core in 2, shell in 2, bulk in 1) ×" in three


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


def test_a_folder_where_a_figure_should_go_is_told(tmp_path: Path) -> None:
    (tmp_path / "ensemble_comparison.png").mkdir()
    with pytest.raises(InvalidInputError, match=r"ensemble_comparison\.png is a folder"):
        draw_losses(comparison(losses=TWO, n_structures=2), tmp_path)


def test_a_long_condition_is_cut_in_the_figure_and_whole_in_the_caption() -> None:
    where = " AND ".join(f"n_atoms <> {number}" for number in range(100))
    sample = comparison(losses=TWO, n_structures=2, where=where)
    assert where in caption_of("publication", sample)
    assert where not in footnote_of("publication", sample)
    assert "… (in full in the metadata of this file)" in footnote_of("publication", sample)
