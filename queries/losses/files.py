"""A comparison as files: tables, the SQL, figures, a report, and what they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lake.commands.json_text import json_text
from lake.version import __version__
from queries.answers.folder import (
    MANIFEST,
    STATEMENTS,
    file_facts,
    open_folder,
    statements_text,
    write_tables,
)
from queries.losses.result import LossComparison

REPORT = "report.html"


def write_comparison(
    comparison: LossComparison,
    folder: Path,
    file_format: str = "csv",
    *,
    figures: bool = True,
    report: bool = False,
) -> list[Path]:
    """Write a comparison into a folder; the files, the manifest last.

    Where the manifest stands, everything it names is whole. Files of an earlier answer are taken
    out.

    Parameters
    ----------
    file_format
        Of the tables: csv, json, parquet or xlsx.
    figures
        Whether to draw.
    report
        Whether to write a page that holds all of it.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    with open_folder(folder):
        files = _write_tables(comparison, folder, file_format)
        (folder / STATEMENTS).write_text(statements_text(comparison), "utf-8")
        files.append(folder / STATEMENTS)
        drawn = []
        if figures:
            from queries.figures import draw_losses

            drawn = draw_losses(comparison, folder / "figures")
        files += drawn
        if report:
            from queries.report import write_losses_report

            files.append(write_losses_report(comparison, drawn, folder / REPORT))
        (folder / MANIFEST).write_text(manifest_text(comparison, folder, files), "utf-8")
    return [*files, folder / MANIFEST]


def manifest_text(comparison: LossComparison, folder: Path, files: Sequence[Path]) -> str:
    """What a comparison was made from, and what came of it, as JSON."""
    return f"{json_text(_manifest(comparison, folder, files))}\n"


def _manifest(comparison: LossComparison, folder: Path, files: Sequence[Path]) -> dict[str, object]:
    return {
        "question": comparison.question,
        "atomlake": __version__,
        "lake": {"path": comparison.lake_path, "version": comparison.lake_version},
        "selection": asdict(comparison.selection),
        "warnings": comparison.warnings,
        "models": comparison.models.to_dicts(),
        "tables": {name: len(frame) for name, frame in comparison.tables.items()},
        "files": file_facts(folder, files),
    }


def _write_tables(comparison: LossComparison, folder: Path, file_format: str) -> list[Path]:
    frames = {
        **comparison.tables,
        "models": comparison.models,
        "training_curves": comparison.training,
    }
    return write_tables(frames, folder, file_format)
