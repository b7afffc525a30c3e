"""A comparison as files: tables, the SQL, figures, a report, and what they were made from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from queries.answers.folder import (
    files_in,
    open_folder,
    write_manifest,
    write_statements,
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
    out once this one is complete.

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
    with open_folder(folder) as draft:
        files = _write_tables(comparison, draft, file_format)
        files.append(write_statements(comparison, draft))
        drawn = []
        if figures:
            from queries.figures import draw_losses

            drawn = draw_losses(comparison, draft / "figures")
        files += drawn
        if report:
            from queries.report import write_losses_report

            files.append(write_losses_report(comparison, drawn, draft / REPORT))
        files.append(write_manifest(comparison, _facts(comparison), draft, files))
    return files_in(folder, draft, files)


def _facts(comparison: LossComparison) -> dict[str, object]:
    return {
        "selection": asdict(comparison.selection),
        "warnings": comparison.warnings,
        "models": comparison.models.to_dicts(),
        "tables": {name: len(frame) for name, frame in comparison.tables.items()},
    }


def _write_tables(comparison: LossComparison, folder: Path, file_format: str) -> list[Path]:
    frames = {
        **comparison.tables,
        "models": comparison.models,
        "training_curves": comparison.training,
    }
    return write_tables(frames, folder, file_format)
