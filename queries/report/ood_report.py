"""The report of an answer about out-of-distribution structures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from lake.reader import Reader
from lake.version import __version__
from queries.figures.ood_captions import FIGURES, describe_ood, ood_title
from queries.figures.ood_figures import full_caption
from queries.ood.result import OodScores
from queries.ood.selection import OodSelection, StructureSet
from queries.report.blocks import Block, Facts, Listing, Picture, Table, Words
from queries.report.frames import table_of
from queries.report.map_data import map_data
from queries.report.page import Page, Section, write_page
from queries.report.viewer import CREDIT, MISSING, find_script, scripts_of, viewer_of

if TYPE_CHECKING:
    from queries.ood.baseline.scoring import BaselineScores

READING = (
    "The score of a structure is the disagreement of the members over its latents: it says where "
    "the ensemble is uncertain, not how large an error is. Latents and distances have no unit. "
    "NULL (–) sorts last. Numbers are shown to four digits and sorted in full."
)
NO_BASELINE = "There is no map: it needs a baseline set, and scikit-learn."
NO_ROOM = "There is no interactive map: its first structure is larger than a page has room for."
UNITS_OF_ROWS = "energy_disagreement in eV/atom, force_disagreement in eV/Å, all others without."
FIRST = ("rank", "structure_id")
UNITS = {"energy_disagreement": "eV/atom", "force_disagreement": "eV/Å"}


def write_ood_report(
    result: OodScores,
    figures: Sequence[Path],
    path: Path,
    measured: BaselineScores | None = None,
    reader: Reader | None = None,
) -> Path:
    """Write an answer as one HTML page that needs nothing beside it; the path of the page.

    Parameters
    ----------
    figures
        Files that `queries.figures.ood_figures.draw_ood` wrote; the PNG among them go into the
        page.
    measured, reader
        What a baseline said, and the version of the lake: both are needed for an interactive map.

    Raises
    ------
    InvalidInputError, StorageError
        As `queries.report.page.write_page`.
    """
    return write_page(ood_page(result, figures, measured, reader), path)


def ood_page(
    result: OodScores,
    figures: Sequence[Path],
    measured: BaselineScores | None = None,
    reader: Reader | None = None,
) -> Page:
    """The report as a page."""
    blocks, scripts = _map(result, measured, reader)
    sections = [
        Section("Result", (chosen_table(result), ood_facts(result))),
        Section("Map", blocks),
        Section("Figures", tuple(_pictures(result, figures, measured))),
        Section("Tables", (Words(READING), *_tables(result))),
        Section("Models", (_members(result),)),
        Section("SQL", tuple(Listing(name, sql) for name, sql in result.statements.items())),
    ]
    return Page(
        "Out-of-distribution structures",
        result.question,
        result.warnings,
        tuple(section for section in sections if section.blocks),
        scripts,
    )


def chosen_table(result: OodScores) -> Table:
    """The chosen structures, with the score that ranks beside what names them."""
    note = f"{result.rule} {len(result.chosen):,} were."
    readable = _readable(result.chosen.drop("is_candidate", "is_baseline"), result.score)
    return table_of(readable, "Chosen structures.", note=note, unit=unit_of_score)


def ood_facts(result: OodScores) -> Facts:
    """What the numbers rest on."""
    selection = result.selection
    counts = dict(result.scores["set"].value_counts().iter_rows())
    sets = [(f"Set {each.name}", _set_words(each, counts, selection)) for each in selection.sets]
    cuts = "; ".join(f"{name} = {value:.4g}" for name, value in result.cut_offs.items())
    return Facts(
        (
            *sets,
            ("Ensemble", f"{selection.ensemble}: {len(selection.members)} members"),
            ("Latents", f"layer {selection.layer}, {selection.n_features} features"),
            ("Definition", selection.definition or "nobody said it"),
            ("Score", result.score),
            ("Cut-offs", cuts or "none, for want of a baseline"),
            ("Lake", f"{result.lake_path} at version {result.lake_version}"),
            ("Made by", f"atomlake {__version__}"),
        )
    )


def _set_words(each: StructureSet, counts: dict[str, int], selection: OodSelection) -> str:
    words = f"{counts.get(each.name, 0):,} structures of dataset {each.dataset}"
    condition = f" where {each.where}" if each.where else ""
    role = ", the baseline" if each.name == selection.baseline else ""
    return f"{words}{condition}{role}"


def unit_of_score(column: str) -> str:
    """The unit of a column of scores, by its name."""
    return UNITS.get(column, "")


def _map(
    result: OodScores, measured: BaselineScores | None, reader: Reader | None
) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The blocks of the map, and the scripts they need."""
    if measured is None or reader is None:
        return (Words(NO_BASELINE),), ()
    script = find_script()
    if script is None:
        return (Words(MISSING),), ()
    data = map_data(result, measured, reader)
    if data.n_shown == 0:
        return (Words(NO_ROOM),), ()
    viewer = viewer_of(data, describe_ood(result))
    return (viewer, Words(CREDIT)), scripts_of(script)


def _pictures(
    result: OodScores, figures: Sequence[Path], measured: BaselineScores | None
) -> list[Block]:
    return [
        Picture(
            ood_title(file.stem),
            full_caption(file.stem, result, measured),
            file.read_bytes(),
        )
        for file in figures
        if file.suffix == ".png" and file.stem in FIGURES
    ]


def _members(result: OodScores) -> Table:
    named = result.members.with_columns(pl.col("model_id").cast(pl.String))
    return table_of(named, "Members and their checksums", unit=_no_unit)


def _tables(result: OodScores) -> list[Block]:
    ranked = result.scores.sort("rank", nulls_last=True, maintain_order=True)
    return [
        table_of(result.statistics, "statistics", note=UNITS_OF_ROWS, unit=_no_unit),
        table_of(_readable(ranked, result.score), "scores", unit=unit_of_score),
    ]


def _readable(frame: pl.DataFrame, score: str) -> pl.DataFrame:
    """What names a row and its score first; ids are names, and no numbers."""
    first = (*FIRST, score)
    ordered = frame.select(*first, pl.exclude(first))
    file_name = pl.col("source").str.extract(r"([^/\\]*)$")  # the tables have it with its folder
    return ordered.with_columns(pl.col("structure_id").cast(pl.String), file_name)


def _no_unit(column: str) -> str:
    """None in the head: the rows are of scores with different units."""
    del column
    return ""
