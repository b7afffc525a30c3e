"""A comparison as files: tables, the SQL, figures, a report, and what they were made from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from lake.commands.formats import write_result
from lake.commands.json_text import json_text
from lake.errors import InvalidInputError, StorageError
from lake.version import __version__
from queries.losses.result import LossComparison

MANIFEST = "manifest.json"
STATEMENTS = "statements.sql"
REPORT = "report.html"


def check_drawing() -> None:
    """Refuse to draw where there is nothing to draw with.

    Raises
    ------
    InvalidInputError
        The extra ``plots`` is not installed.
    """
    if find_spec("matplotlib") is None:
        raise InvalidInputError(
            "matplotlib is not installed. Expected it, to draw figures. Install it with: "
            "pip install 'atomlake[plots]', or leave figures out with --no-figures."
        )


def write_comparison(
    comparison: LossComparison,
    folder: Path,
    file_format: str = "csv",
    *,
    figures: bool = True,
    report: bool = False,
) -> list[Path]:
    """Write a comparison into a folder; the files, the manifest last.

    Where the manifest stands, everything it names is whole. Files of the same names are replaced.

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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        files = _write_tables(comparison, folder, file_format)
        (folder / STATEMENTS).write_text(statements_text(comparison), "utf-8")
    except OSError as error:
        raise StorageError(
            f"{folder}: {error.strerror or error}. Expected a folder you may write. Choose another."
        ) from error
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


def statements_text(comparison: LossComparison) -> str:
    """All SQL of a comparison, in the order in which it ran."""
    head = (
        f"-- {comparison.question}\n"
        f"-- {comparison.lake_path} at version {comparison.lake_version}, "
        f"asked by atomlake {__version__}.\n"
        "-- Each statement reads tables of the lake, and statements before it by their names.\n"
    )
    parts = [f"-- {name}\n{text.strip()};\n" for name, text in comparison.statements.items()]
    return "\n".join([head, *parts])


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
        "files": [
            {
                "path": str(file.relative_to(folder)),
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            for file in files
        ],
    }


def _write_tables(comparison: LossComparison, folder: Path, file_format: str) -> list[Path]:
    frames = {
        **comparison.tables,
        "models": comparison.models,
        "training_curves": comparison.training,
    }
    files = []
    for name, frame in frames.items():
        file = folder / f"{name}.{file_format}"
        write_result(frame, file_format, file)
        files.append(file)
    return files
