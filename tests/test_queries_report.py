"""The report of a comparison of losses: what stands in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from loss_samples import TWO, comparison

from lake.errors import InvalidInputError, StorageError
from queries.report import write_losses_report
from queries.report.blocks import Table, Words
from queries.report.frames import cell_of, number_text, unit_of
from queries.report.losses_report import key_table, page_of
from queries.report.page import Page as ReportPage
from queries.report.page import Section, render

pytest.importorskip("jinja2", reason="the extra `plots` is not installed")


def test_the_key_table_has_the_numbers_of_its_rows() -> None:
    sample = comparison(losses=TWO)
    rows = {row[0].text: row for row in key_table(sample).rows}
    for row in sample.tables["ensemble_summary"].iter_rows(named=True):
        defect, _, ratio, structures, seeds = rows[row["loss"]][1:]
        mean, spread = (float(part) for part in defect.text.split(" ± "))
        assert mean == pytest.approx(row["defect_mae_mean"] * 1000, rel=1e-3)
        assert spread == pytest.approx(row["defect_mae_std_over_seeds"] * 1000, abs=0.01)
        assert float(defect.key or "") == row["defect_mae_mean"]
        assert float(ratio.key or "") == row["ratio_mean"]
        assert (structures.text, seeds.text) == ("50", "3")


def test_one_seed_has_no_spread_and_an_empty_region_no_number() -> None:
    table = key_table(comparison(losses=TWO, n_seeds=1, has_bulk=False))
    defect, bulk, ratio = table.rows[0][1:4]
    assert "±" not in defect.text
    assert (bulk.text, bulk.key, ratio.text) == ("–", None, "–")


def test_without_warnings_the_page_says_that_there_are_none(tmp_path: Path) -> None:
    path = write_losses_report(comparison(losses=TWO, n_structures=3), [], tmp_path / "r.html")
    text = path.read_text(encoding="utf-8")
    assert "the analysis gave no warning" in text
    assert "<figure>" not in text
    assert ">Figures</a>" not in text


def test_long_tables_are_cut_and_say_so() -> None:
    sample = comparison(losses=TWO, n_structures=200)
    blocks = {
        block.title: block
        for section in page_of(sample, []).sections
        for block in section.blocks
        if isinstance(block, Table)
    }
    assert len(blocks["detailed_results"].rows) == 100
    assert blocks["detailed_results"].note.startswith("The first 100 of 1,200 rows;")
    assert len(blocks["ensemble_summary"].rows) == 2


def test_cells() -> None:
    values = [None, True, 0, 12345, 0.1 + 0.2, float("nan"), -1e-7, 123456.0, "x"]
    cells = [(cell.text, cell.key) for cell in map(cell_of, values)]
    assert cells == [
        ("–", None),
        ("yes", "yes"),
        ("0", "0"),
        ("12,345", "12345"),
        ("0.3000", "0.30000000000000004"),
        ("NaN", None),
        ("−1.000e−07", "-1e-07"),
        ("123,456", "123456.0"),
        ("x", "x"),
    ]
    assert number_text(float("-inf")) == "−∞"


def test_units_stand_with_errors_only() -> None:
    with_unit = ("defect_mae", "mae_std_over_seeds", "bulk_rmse", "all_mae_std", "q50", "low")
    without = ("ratio", "defect_mae_variation", "n_structures", "loss", "p_value", "summary")
    assert {unit_of(name) for name in with_unit} == {"eV/Å"}
    assert {unit_of(name) for name in without} == {""}


def test_the_same_comparison_gives_the_same_page(tmp_path: Path) -> None:
    sample = comparison(losses=TWO, n_structures=3)
    pages = [write_losses_report(sample, [], tmp_path / name) for name in ("a.html", "b.html")]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_page_needs_no_tables() -> None:
    page = ReportPage("T", "Q?", (), (Section("S", (Words("w"),)),), scripts=("let x = 1 < 2;",))
    text = render(page)
    assert "<script>let x = 1 < 2;</script>" in text
    assert "<table>" not in text


def test_without_jinja(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(InvalidInputError, match=r"atomlake\[plots\]"):
        write_losses_report(comparison(losses=TWO, n_structures=2), [], tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"r\.html"):
        write_losses_report(
            comparison(losses=TWO, n_structures=2), [], tmp_path / "nowhere" / "r.html"
        )
