"""The report of a comparison of losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lake.version import __version__
from queries.figures.captions import FIGURES, caption_of, title_of
from queries.losses.result import LossComparison
from queries.report.blocks import Block, Cell, Facts, Heading, Listing, Picture, Table, Words
from queries.report.frames import cell_of, number_text, table_of
from queries.report.page import Page, Section, write_page

MEV = 1000.0
# In this order; what else there is comes after, by name.
FIRST_TABLES = (
    "ensemble_summary",
    "errors_by_loss",
    "ratios_by_loss",
    "reproducibility",
    "paired_tests",
    "seed_tests",
    "statistical_tests",
    "summary_statistics",
    "3region_summary",
    "errors_by_model",
    "training_summary",
    "coverage",
)
READING = (
    "Errors are norms of the error of the force vector, in eV/Å. A region without atoms has no "
    "number (–), and NULL sorts last. Numbers are shown to four digits and sorted in full. The "
    "atoms of a structure are not independent of each other, nor are the structures of one "
    "trajectory."
)


def write_losses_report(comparison: LossComparison, figures: Sequence[Path], path: Path) -> Path:
    """Write a comparison as one HTML page that needs nothing beside it; the path of the page.

    Parameters
    ----------
    figures
        Files that `queries.figures.draw_losses` wrote; the PNG among them go into the page.

    Raises
    ------
    InvalidInputError, StorageError
        As `queries.report.page.write_page`.
    """
    return write_page(page_of(comparison, figures), path)


def page_of(comparison: LossComparison, figures: Sequence[Path]) -> Page:
    """The report as a page."""
    sections = [
        Section("Result", (key_table(comparison), selection_facts(comparison))),
        Section("Figures", tuple(_pictures(comparison, figures))),
        Section("Tables", (Words(READING), *_tables(comparison))),
        Section("Models", (table_of(comparison.models, "Models and their checksums"),)),
        Section("SQL", tuple(Listing(name, sql) for name, sql in comparison.statements.items())),
    ]
    return Page(
        "Comparison of losses",
        comparison.question,
        comparison.warnings,
        tuple(section for section in sections if section.blocks),
    )


def key_table(comparison: LossComparison) -> Table:
    """The numbers the question asks for: mean ± standard deviation over the seeds."""
    measures = (("defect_mae", "defect", MEV), ("bulk_mae", "bulk", MEV), ("ratio", "ratio", 1.0))
    headings = (
        Heading("loss"),
        Heading("error at the defect", "meV/Å", is_number=True),
        Heading("error in the bulk", "meV/Å", is_number=True),
        Heading("defect / bulk", is_number=True),
        Heading("structures", is_number=True),
        Heading("seeds", is_number=True),
    )
    rows = tuple(
        (
            cell_of(row["loss"]),
            *[
                _with_spread(row[f"{name}_mean"], row[f"{name}_std_over_seeds"], factor)
                for name, _, factor in measures
            ],
            cell_of(row["n_structures"]),
            cell_of(row["n_seeds"]),
        )
        for row in comparison.tables["ensemble_summary"].iter_rows(named=True)
    )
    note = (
        "Mean norm of the force error over structures and seeds ± standard deviation over the "
        "means of the seeds; without ± where there is one seed. A structure without atoms in a "
        "region does not count to its mean."
    )
    return Table("Force error by loss.", headings, rows, note)


def selection_facts(comparison: LossComparison) -> Facts:
    """What the numbers rest on."""
    selection = comparison.selection
    limit = "all" if selection.limit is None else f"the first {selection.limit:,} in file order"
    models = [
        *selection.models,
        *[f"of loss {loss}" for loss in selection.losses],
        *[f"of seed {seed}" for seed in selection.seeds],
    ]
    return Facts(
        (
            ("Dataset", selection.dataset),
            ("Structures", f"{limit}{f' where {selection.where}' if selection.where else ''}"),
            ("Reference", f"label set {selection.label_set}"),
            ("Regions", f"{selection.two_regions} and {selection.three_regions}"),
            ("Models", f"{len(comparison.models)}: {', '.join(models) or 'all with predictions'}"),
            (
                "Coverage",
                "structures without all predictions left out"
                if selection.is_partial_allowed
                else "complete, or there would be no report",
            ),
            ("Lake", f"{comparison.lake_path} at version {comparison.lake_version}"),
            ("Made by", f"atomlake {__version__}"),
        )
    )


def _pictures(comparison: LossComparison, figures: Sequence[Path]) -> list[Block]:
    return [
        Picture(
            title_of(file.stem) if file.stem in FIGURES else file.stem,
            caption_of(file.stem, comparison) if file.stem in FIGURES else "",
            file.read_bytes(),
        )
        for file in figures
        if file.suffix == ".png"
    ]


def _tables(comparison: LossComparison) -> list[Block]:
    there = comparison.tables
    names = [name for name in FIRST_TABLES if name in there]
    names += sorted(set(there) - set(names))
    return [table_of(_readable(there[name]), name) for name in names]


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame whose first column names the row, if it has one that does."""
    names = [name for name in ("loss", "model", "run_name", "comparison") if name in frame.columns]
    first = names[:1]
    return frame.select(*first, pl.exclude(first)) if first else frame


def _with_spread(mean: float | None, spread: float | None, factor: float) -> Cell:
    if mean is None:
        return cell_of(None)
    text = number_text(mean * factor)
    if spread is not None:
        digits = len(text.partition(".")[2])
        text = f"{text} ± {spread * factor:.{digits}f}"
    return Cell(text, repr(mean))
