"""The page of a comparison of losses: what a browser makes of it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from comparison_by_hand import compare_by_hand
from headless_browser import Page
from loss_samples import TWO, comparison

from queries.figures import draw_losses
from queries.figures.captions import FIGURES, title_of
from queries.losses.result import LossComparison
from queries.report import write_losses_report
from queries.report.blocks import Table
from queries.report.frames import table_of
from queries.report.page import Page as ReportPage
from queries.report.page import Section, render

pytest.importorskip("jinja2", reason="the extra `plots` is not installed")

WARNINGS = ("mace-MSE-s0: its parent is not known.", "3 seeds per loss: spreads are rough.")
ATTACK = "<script>window.attacked = 1</script><img src=x onerror='window.attacked = 1'>"
ATTRIBUTE = "\"><b onclick='x'>'"
# Of the table in the page: its numbers as sorted by readers.
ODD_NUMBERS = [0.5, None, -3.0, 1e-9, 20.0, 100.0, float("nan"), float("inf"), 3.0, None, -0.001]


def odd_table() -> Table:
    frame = pl.DataFrame(
        {
            "name": [f"n{i}" for i in range(len(ODD_NUMBERS))],
            "value": ODD_NUMBERS,
            "structure_id": [2**62 + i for i in range(len(ODD_NUMBERS))],
        }
    )
    return table_of(frame, "odd numbers")


@pytest.fixture(scope="module")
def sample() -> LossComparison:
    made = comparison(losses=(*TWO, ATTACK, ATTRIBUTE), n_seeds=2, warnings=(*WARNINGS, ATTACK))
    return replace(made, statements={"detailed_results": f"SELECT 1 < 2 -- {ATTACK}"})


@pytest.fixture(scope="module")
def report(sample: LossComparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")
    folder = tmp_path_factory.mktemp("report")
    figures = draw_losses(sample, folder / "figures")
    return write_losses_report(sample, figures, folder / "report.html")


def test_the_page_is_whole_and_asks_for_nothing(browser: Page, report: Path) -> None:
    browser.open(report)
    browser.screenshot(report.with_suffix(".png"))
    assert browser.complaints == []
    assert browser.requests == []
    pictures = browser.evaluate("[...document.images].map(i => [i.naturalWidth, i.alt.length])")
    assert len(pictures) == 6
    assert all(width > 1000 and letters > 40 for width, letters in pictures)
    assert report.stat().st_size < 4e6


def test_letters_of_all_figures_are_of_one_size(browser: Page, report: Path) -> None:
    browser.open(report, 1200)
    scales = browser.evaluate("[...document.images].map(i => i.clientWidth / i.naturalWidth)")
    assert max(scales) < 1.05 * min(scales)
    assert max(scales) <= 0.5  # sharp on screens with two pixels for one


def test_a_caption_is_drawn_and_not_written_below_again(browser: Page, report: Path) -> None:
    browser.open(report)
    shown = browser.evaluate("[...document.querySelectorAll('figure')].map(e => e.innerText)")
    assert shown == [title_of(file) for file in FIGURES]


def test_names_of_users_are_text(browser: Page, report: Path, sample: LossComparison) -> None:
    browser.open(report)
    assert browser.evaluate("window.attacked") is None
    assert browser.evaluate("document.querySelectorAll('img[src=x], b').length") == 0
    shown = browser.evaluate("[...document.querySelectorAll('tbody th')].map(e => e.textContent)")
    assert ATTACK in shown
    assert ATTRIBUTE in shown
    assert sample.statements["detailed_results"] in browser.evaluate(
        "document.querySelector('pre').textContent"
    )


def test_everything_is_visible(browser: Page, report: Path, sample: LossComparison) -> None:
    browser.open(report)
    text = browser.evaluate("document.body.innerText")
    for word in (
        *WARNINGS,
        *sample.tables,
        "w-defects",
        "version 17",
        "n_atoms > 100",
        "label set",
    ):
        assert word in text, word
    for checksum in sample.models["sha256"]:
        assert checksum in text
    hidden = browser.evaluate(
        "[...document.querySelectorAll('body *:not(script)')].filter("
        "e => !e.checkVisibility()).map(e => e.outerHTML.slice(0, 80))"
    )
    assert hidden == []
    tops = browser.evaluate(
        "['.warnings', 'table', 'figure', 'pre'].map("
        "s => document.querySelector(s).getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)
    assert tops[0] < 200  # warnings are on the first screen


def test_a_real_comparison_is_shown_whole(browser: Page, tmp_path: Path) -> None:
    sample = compare_by_hand(tmp_path)
    browser.open(write_losses_report(sample, [], tmp_path / "report.html"))
    assert browser.complaints == []
    text = browser.evaluate("document.body.innerText")
    for word in (sample.question, *sample.warnings, *sample.tables, *sample.models["sha256"]):
        assert word in text, word
    listings = browser.evaluate("[...document.querySelectorAll('pre')].map(e => e.textContent)")
    assert listings == list(sample.statements.values())


@pytest.mark.parametrize("width_px", [380, 1200])
def test_the_page_itself_does_not_scroll_sideways(
    browser: Page, report: Path, width_px: int
) -> None:
    browser.open(report, width_px)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width_px


@pytest.fixture(scope="module")
def odd_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "odd.html"
    page = ReportPage("Odd", "?", (), (Section("Numbers", (odd_table(),)),))
    path.write_text(render(page), encoding="utf-8")
    return path


def column(browser: Page, place: int) -> list[str]:
    found: list[str] = browser.evaluate(
        f"[...document.querySelector('tbody').rows].map(r => r.cells[{place}].textContent)"
    )
    return found


SORTED = ["−3.000", "−0.001000", "1.000e−09", "0.5000", "3.000", "20.00", "100.0", "∞"]


def test_clicking_a_head_sorts_as_numbers_with_null_last(browser: Page, odd_page: Path) -> None:
    browser.open(odd_page)
    before = column(browser, 0)
    head = "document.querySelector('th:nth-child(2)').getAttribute('aria-sort')"
    assert browser.evaluate(head) == "none"
    browser.click("th:nth-child(2) button")
    assert column(browser, 1) == [*SORTED, "–", "NaN", "–"]
    assert browser.evaluate(head) == "ascending"
    browser.click("th:nth-child(2) button")
    assert column(browser, 1) == [*reversed(SORTED), "–", "NaN", "–"]
    assert browser.evaluate(head) == "descending"
    browser.click("th:nth-child(1) button")
    assert column(browser, 0) == before  # n2 before n10
    assert browser.evaluate(head) == "none"
    browser.click("th:nth-child(3) button")
    browser.click("th:nth-child(3) button")
    assert column(browser, 2)[0] == str(2**62 + 10)  # which no number of JavaScript holds
    assert browser.complaints == []


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_keys_sort_too(browser: Page, odd_page: Path, key: str) -> None:
    browser.open(odd_page)
    for _ in range(10):  # contents, the table itself, the heads
        browser.press("Tab")
        if browser.evaluate("document.activeElement.closest('th:nth-child(2)') !== null"):
            break
    browser.press(key)
    assert column(browser, 1)[: len(SORTED)] == SORTED


def test_dark_and_paper(browser: Page, report: Path) -> None:
    browser.open(report)
    colours = (
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    for scheme in ("light", "dark"):
        browser.emulate(scheme=scheme)
        paper, ink = (luminance(colour) for colour in browser.evaluate(colours))
        assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) > 7  # WCAG's highest grade
        assert (paper > ink) == (scheme == "light")
    browser.emulate(scheme="dark", medium="print")
    assert luminance(browser.evaluate(colours)[0]) == 1
    assert (
        browser.evaluate("getComputedStyle(document.querySelector('.table')).overflow") == "visible"
    )
    browser.emulate()
    printed = report.with_suffix(".pdf")
    browser.print(printed)
    assert printed.read_bytes().startswith(b"%PDF")


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2 of a colour such as ``rgb(1, 2, 3)``."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_policy_stops_a_script_that_got_in(browser: Page, odd_page: Path) -> None:
    path = odd_page.with_name("attacked.html")
    attack = "<script>window.attacked = 1</script><img src='http://127.0.0.1:1/x'></body>"
    path.write_text(odd_page.read_text().replace("</body>", attack))
    browser.open(path)
    assert browser.evaluate("window.attacked") is None
    assert len(browser.complaints) == 2


class Structure(HTMLParser):
    """Tags that are open at the end, and the attributes of heads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scopes: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        if tag not in {"meta", "link", "img"}:
            self.open.append(tag)
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed(report: Path) -> None:
    structure = Structure()
    structure.feed(report.read_text(encoding="utf-8"))
    assert structure.open == []
    assert set(structure.scopes) == {"col", "row"}
