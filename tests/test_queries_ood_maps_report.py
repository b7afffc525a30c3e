"""From a lake to the page with an interactive map, opened in a browser."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from headless_browser import BrowserMissingError, Page, open_page
from ood_map_answers import ATTACK, lake_of_maps, scores_with_distances

from queries.ood.choosing import Choice
from queries.ood.distances import score_with_distances
from queries.report import map_data as map_data_module
from queries.report import viewer, write_ood_report
from queries.report.blocks import Viewer
from queries.report.map_data import map_data
from queries.report.ood_report import ood_page
from queries.report.page import Page as ReportPage
from queries.report.page import Section, render
from queries.report.viewer import find_script

pytest.importorskip("jinja2", reason="the extra `plots` is not installed")

lk, answer = lake_of_maps, scores_with_distances
# What a browser without a graphics card says of the pictures it makes itself, and chemiscope of
# names of structures, which are too many to be symbols.
OF_DRAWING = ("swiftshader", "GPU stall", "willReadFrequently", "interpreted as categories")
LOADING_S = 60
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
)
DEEP = (
    "window.deep = (selector, tree = document) => [...tree.querySelectorAll(selector),"
    "...[...tree.querySelectorAll('*')].filter(e => e.shadowRoot)"
    ".flatMap(e => deep(selector, e.shadowRoot))]"
)


@pytest.fixture(scope="module")
def report(lk, answer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_script() is None:
        pytest.skip("the extra `ood` is not installed: no chemiscope")
    folder = tmp_path_factory.mktemp("report")
    result, measured = answer
    figures = [folder / "ood_maps.png", folder / "ood_maps.pdf", folder / "other.png"]
    for figure in figures:
        figure.write_bytes(PIXEL)
    return write_ood_report(result, figures, folder / "report.html", measured, lk.reader)


def wait_for_viewer(browser: Page) -> str:
    end_s = time.monotonic() + LOADING_S
    state = ""
    while not state and time.monotonic() < end_s:
        state = browser.evaluate("document.documentElement.dataset.viewer || ''")
        time.sleep(0.2)
    return state


def test_the_page_shows_the_map_and_asks_for_nothing(browser: Page, report: Path):
    browser.open(report, 1400)
    assert wait_for_viewer(browser) == "ready", browser.evaluate(
        "document.getElementById('viewer-note').textContent"
    )
    time.sleep(1)
    browser.screenshot(report.with_suffix(".png"))
    said = [text for text in browser.complaints if not any(word in text for word in OF_DRAWING)]
    assert said == []
    assert browser.requests == []
    assert browser.evaluate("window.attacked") is None
    pictures = browser.evaluate("[...document.images].map(i => [i.naturalWidth, i.alt])")
    assert [width for width, _ in pictures] == [1]
    assert "n = 20 of new, 40 of train; 5 chosen" in pictures[0][1]
    assert report.stat().st_size < 8_000_000
    n_canvases = browser.evaluate("document.querySelectorAll('.viewer canvas').length")
    n_roots = browser.evaluate(
        "[...document.querySelectorAll('#viewer-map *, #viewer-structure *')]"
        ".filter(e => e.shadowRoot).length"
    )
    assert n_canvases + n_roots > 0


@pytest.mark.parametrize(("most", "has_sticks"), [(200, True), (5, False)])
def test_large_structures_are_drawn_without_sticks(
    lk, answer, monkeypatch: pytest.MonkeyPatch, most: int, has_sticks: bool
):
    monkeypatch.setattr(map_data_module, "MOST_BONDED", most)
    settings = map_data(*answer, lk.reader).dataset["settings"]
    assert settings["structure"] == [{"unitCell": True, "bonds": has_sticks}]


def test_tables_name_files_without_their_folder(lk, answer):
    result, measured = answer
    sources = pl.lit("/a/long way/to/slab.cif").alias("source")
    far = replace(result, **{n: getattr(result, n).with_columns(sources) for n in ("chosen",)})
    page = render(ood_page(far, [], measured, lk.reader))
    assert "slab.cif" in page
    assert "long way" not in page


def test_the_structure_beside_the_map_is_the_most_uncertain(browser: Page, report: Path, answer):
    browser.open(report, 1400)
    assert wait_for_viewer(browser) == "ready"
    text = browser.evaluate("document.getElementById('viewer-data').textContent")
    data = json.loads(text)
    result, _ = answer
    best = result.chosen.row(0, named=True)
    place = data["settings"]["pinned"][0]
    assert data["properties"]["structure_id"]["values"][place] == str(best["structure_id"])
    assert data["structures"][place]["size"] == best["n_atoms"]
    assert data["properties"]["is_chosen"]["values"].count("chosen") == 5


def test_another_structure_can_be_looked_at(browser: Page, report: Path):
    """What names a structure is beside it; the viewer keeps its parts in shadow trees."""
    browser.open(report, 1400)
    assert wait_for_viewer(browser) == "ready"
    browser.evaluate(DEEP)
    data = json.loads(browser.evaluate("document.getElementById('viewer-data').textContent"))
    browser.evaluate(
        "(slider => { slider.value = 7; for (const kind of ['input', 'change'])"
        " slider.dispatchEvent(new Event(kind, {bubbles: true})) })(deep('input[type=range]')[0])"
    )
    browser.evaluate("deep('.chsp-info-structure-btn')[0].click()")
    time.sleep(1)  # it unfolds
    said = browser.evaluate("deep('table').map(e => e.innerText)")
    shown = next(text for text in said if text.startswith("Properties for structure"))
    fields = dict(line.split("\t", 1) for line in shown.splitlines()[1:])
    values = {name: each["values"][7] for name, each in data["properties"].items()}
    assert fields["structure_id"] == values["structure_id"]
    assert fields["config_type"] == values["config_type"]
    assert float(fields["d_latent"]) == pytest.approx(values["d_latent"], rel=1e-3)
    assert browser.evaluate("window.attacked") is None


def test_without_webgl_the_page_says_so(report: Path, tmp_path: Path):
    """The page is changed so that the browser has no WebGL; its script is then another one."""
    text = report.read_text("utf-8")
    assert 'getContext("webgl") === null' in text
    changed = text.replace('getContext("webgl") === null', "nodeType === 1")
    policy = changed.index("script-src ")
    end = changed.index(";", policy)
    open_policy = "script-src 'unsafe-inline' 'unsafe-eval'"
    page = tmp_path / "page.html"
    page.write_text(changed[:policy] + open_policy + changed[end:], "utf-8")
    try:
        with open_page() as browser:
            browser.open(page)
            assert wait_for_viewer(browser) == "failed"
            said = browser.evaluate("document.getElementById('viewer-note').textContent")
            assert "It needs WebGL" in said
            assert browser.evaluate("document.querySelector('.viewer-sides').hidden")
    except BrowserMissingError as error:
        pytest.skip(str(error))


def test_the_map_has_room_for_so_many(lk, answer, monkeypatch: pytest.MonkeyPatch):
    result, measured = answer
    everything = map_data(result, measured, lk.reader)
    assert everything.note == "All 60 structures."
    monkeypatch.setattr(map_data_module, "MOST_ATOMS", 150)
    some = map_data(result, measured, lk.reader)
    structures = some.dataset["structures"]
    assert sum(each["size"] for each in structures) <= 150
    assert 5 < some.n_shown < 60
    assert f"{some.n_shown} of 60 structures: the chosen by rank" in some.note
    assert some.dataset["properties"]["is_chosen"]["values"].count("chosen") == 5
    assert all(len(each["values"]) == some.n_shown for each in some.dataset["properties"].values())
    monkeypatch.setattr(map_data_module, "MOST_STRUCTURES", 3)
    few = map_data(result, measured, lk.reader)
    assert few.n_shown == 3
    assert "all but 2" in few.note
    monkeypatch.setattr(map_data_module, "MOST_ATOMS", 0)
    assert map_data(result, measured, lk.reader).n_shown == 0
    text = render(ood_page(result, [], measured, lk.reader))
    assert "larger than a page has room for" in text
    assert 'id="viewer' not in text


def test_positions_are_those_of_the_lake(lk, answer):
    result, measured = answer
    data = map_data(result, measured, lk.reader).dataset
    names = data["properties"]["structure_id"]["values"]
    for identity in (3, 47):
        atoms = lk.atoms(identity)
        structure = data["structures"][names.index(str(identity))]
        assert structure["names"] == atoms.get_chemical_symbols()
        found = np.column_stack([structure[axis] for axis in "xyz"])
        np.testing.assert_allclose(found, atoms.positions, atol=6e-3)
        np.testing.assert_allclose(np.reshape(structure["cell"], (3, 3)), atoms.cell[:])


def test_without_a_baseline_the_page_says_why_there_is_no_map(lk, tmp_path: Path):
    result, measured = score_with_distances(
        lk, choice=Choice(top=2), sets=("new",), groups=("T1",), memory_mib=64
    )
    assert measured is None
    page = write_ood_report(result, [], tmp_path / "report.html", measured, lk.reader)
    text = page.read_text("utf-8")
    assert "There is no map: it needs a baseline set" in text
    assert "unsafe" not in text.partition("</head>")[0].partition("<style>")[0]
    assert page.stat().st_size < 200_000


def test_without_chemiscope_the_page_says_how_to_get_it(lk, answer, tmp_path, monkeypatch):
    monkeypatch.setattr(viewer, "PACKAGE", "chemiscope_that_is_not_there")
    result, measured = answer
    page = write_ood_report(result, [], tmp_path / "report.html", measured, lk.reader)
    text = page.read_text("utf-8")
    assert "There is no interactive map: chemiscope is not installed" in text
    assert 'id="viewer' not in text


def test_data_of_a_viewer_cannot_end_its_element():
    block = Viewer("t", "c", json.dumps({"name": ATTACK}))
    text = render(ReportPage("t", "q", (), (Section("s", (block,)),)))
    assert text.count("<script") == 2
    inside = text.partition('id="viewer-data">')[2].partition("</script>")[0]
    assert json.loads(inside) == {"name": ATTACK}
    assert "script-src" in text
    assert "unsafe-eval" in text.partition("</head>")[0]


def test_units_are_those_of_scores(answer):
    result, _ = answer
    frame = pl.DataFrame({"energy_disagreement": [1.0], "q50": [2.0], result.score: [3.0]})
    from queries.report.frames import table_of
    from queries.report.ood_report import unit_of_score

    units = [heading.unit for heading in table_of(frame, "t", unit=unit_of_score).headings]
    assert units == ["eV/atom", "", ""]
