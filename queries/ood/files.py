"""An answer about out-of-distribution structures as files."""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from lake.reader import Reader
from queries.answers.folder import (
    files_in,
    open_folder,
    write_manifest,
    write_statements,
    write_tables,
)
from queries.ood.pointers import read_pointers
from queries.ood.result import OodScores
from queries.ood.structure_files import write_chosen
from queries.ood.structure_scores import atom_batches

if TYPE_CHECKING:
    import polars as pl

    from queries.ood.baseline import BaselineScores

ATOMS = "atoms.parquet"
BASELINE = "baseline.npz"
REPORT = "report.html"


def write_answer(
    reader: Reader,
    result: OodScores,
    folder: Path,
    file_format: str = "csv",
    *,
    measured: BaselineScores | None = None,
    by_atom: bool = False,
    figures: bool = True,
    report: bool = False,
    memory_mib: int,
) -> tuple[OodScores, list[Path]]:
    """Write an answer into a folder; the answer with what is to be said of its files, and these.

    Where the manifest stands, everything it names is whole. Files of an earlier answer are taken
    out once this one is complete.

    Parameters
    ----------
    reader
        The version of the lake that the answer came from.
    file_format
        Of the tables: csv, json, parquet or xlsx.
    measured
        What the models of the baseline said; they are kept in ``baseline.npz``.
    by_atom
        Write the score of every atom too, as ``atoms.parquet``; and, where scikit-learn is, the
        most uncertain ones with the clusters they form, as a table.
    figures
        Whether to draw.
    report
        Whether to write a page that holds all of it, with an interactive map where there are
        distances.
    memory_mib
        Room for latents, in MiB.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    with open_folder(folder) as draft:
        files = write_tables(_tables(result), draft, file_format)
        files.append(write_statements(result, draft))
        structures, notes = write_chosen(reader, result, draft, memory_mib)
        files += structures
        if by_atom:
            files.append(_write_atoms(reader, result, draft / ATOMS, memory_mib))
            files += _write_clusters(reader, result, draft, file_format)
        if measured is not None:
            from queries.ood.baseline import write_baseline

            files.append(write_baseline(measured.baseline, draft / BASELINE))
        noted = replace(result, warnings=(*result.warnings, *notes))
        drawn: list[Path] = []
        if figures:
            from queries.figures.ood_figures import draw_ood

            drawn = draw_ood(noted, draft / "figures", measured)
        files += drawn
        if report:
            from queries.report import write_ood_report

            files.append(write_ood_report(noted, drawn, draft / REPORT, measured, reader))
        files.append(write_manifest(noted, _facts(noted), draft, files))
    return noted, files_in(folder, draft, files)


def _tables(result: OodScores) -> dict[str, pl.DataFrame]:
    ranked = result.scores.sort("rank", nulls_last=True, maintain_order=True)
    tables = {
        "scores": ranked,
        "chosen": result.chosen,
        "statistics": result.statistics,
        "histogram": result.histogram,
        "members": result.members,
    }
    return tables | ({"against": result.against} if len(result.against) else {})


def _write_atoms(reader: Reader, result: OodScores, path: Path, memory_mib: int) -> Path:
    """The score of every atom of all sets, each structure once."""
    selection = result.selection
    wanted = result.scores.unique(["dataset", "structure_id"], maintain_order=True)
    pointers, _ = read_pointers(reader, wanted, selection.members, selection.layer)
    ids = tuple(member.model_id for member in selection.members)
    writer = None
    for batch in atom_batches(reader, pointers, ids, memory_mib):
        writer = writer or pq.ParquetWriter(path, batch.schema, compression="zstd")
        writer.write_batch(batch)
    if writer is not None:
        writer.close()
    return path


def _write_clusters(
    reader: Reader, result: OodScores, folder: Path, file_format: str
) -> list[Path]:
    """The most uncertain atoms, and the clusters of their latents."""
    if find_spec("sklearn") is None:
        return []
    import polars as pl

    from queries.ood.baseline.atom_clusters import cluster_atoms

    clusters = cluster_atoms(reader, result, pl.scan_parquet(folder / ATOMS))
    return write_tables({"uncertain_atoms": clusters}, folder, file_format)


def _facts(result: OodScores) -> dict[str, object]:
    return {
        "selection": asdict(result.selection),
        "score": result.score,
        "rule": result.rule,
        "cut_offs": dict(result.cut_offs),
        "warnings": list(result.warnings),
        "n_scored": len(result.scores),
        "n_chosen": len(result.chosen),
    }
