"""Checking a version of a lake: the log, the files, the rows, and the arrays they point at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lake.checks.file_check import check_files
from lake.checks.latent_check import check_latents
from lake.checks.problem import Problem
from lake.checks.row_check import check_rows
from lake.log.checkpoints import checkpoint_fault
from lake.reader import Reader
from lake.upkeep.leftovers import find_leftovers, named_files
from schemas import TABLES

__all__ = ["Problem", "check", "notes"]


def check(reader: Reader, *, deep: bool = True) -> list[Problem]:
    """What is wrong with a version of the lake; empty when nothing is.

    The log can be read; every file is there as it was written; the rows keep what their tables
    promise (required columns, lengths, one row per grain, references, the accounting of the
    sources, no collision of hashes); latents lie where rows say. Memory stays near 1 GB.

    Parameters
    ----------
    deep
        Read every file and compare checksums and lengths of lists too; else only the log, sizes,
        footers and scalar columns are looked at.
    """
    problems = {name: check_files(reader, name, deep=deep) for name in TABLES}
    readable = [name for name in TABLES if not problems[name]]
    found = [problem for each in problems.values() for problem in each]
    found += [*_check_checkpoints(reader, readable), *check_rows(reader, readable, deep=deep)]
    if "embeddings" in readable:
        found += check_latents(reader, deep=deep)
    return found + _check_history(reader) if "commits" in readable else found


def notes(reader: Reader) -> list[Problem]:
    """What is untidy and does no harm: what crashed or running operations left behind.

    Readers pass over it, and vacuum takes it away once it is old enough.
    """
    holes = [
        Problem(name, f"{name}/_delta_log/{version:020}.json", "an operation that did not commit")
        for name, table in reader.state.tables.items()
        for version in sorted(table.holes)
    ]
    newer = reader.state.newer
    if newer:  # then it is not ours to say what no version needs
        what = "a newer atomlake wrote to it, and what this one does not know is not shown"
        return holes + [Problem(name, name, what) for name in newer]
    files = find_leftovers(reader.storage, lambda: named_files(reader.storage, reader.state))
    return holes + [Problem(f.path.partition("/")[0], f.path, f.reason) for f in files]


def _check_checkpoints(reader: Reader, names: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        what = checkpoint_fault(reader.storage, name, reader.state.table(name).version)
        if what is not None:
            yield Problem(name, f"{name}/_delta_log", what)


def _check_history(reader: Reader) -> list[Problem]:
    """Every version has its row in ``commits``."""
    versions = set(reader.scan("commits").select("version").collect().to_series())
    missing = sorted(set(range(1, reader.state.version + 1)) ^ versions)
    shown = ", ".join(map(str, missing[:3])) + (" …" if len(missing) > 3 else "")
    what = "the versions of the lake and the rows of commits are not the same"
    return [Problem("commits", f"versions {shown}", what)] if missing else []
