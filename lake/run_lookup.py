"""Finding one training run by what a user calls it."""

from __future__ import annotations

from dataclasses import dataclass

from lake.errors import InvalidInputError, NotFoundError
from lake.reader import Reader


@dataclass(frozen=True)
class RunPlace:
    """Identity and name of a run."""

    project: str
    run_id: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}/{self.run_id} ({self.name})"


def list_runs(reader: Reader, project: str | None = None) -> list[RunPlace]:
    """The runs of a project or of all, by project and identity."""
    rows = reader.scan("runs", project=project).select("project", "run_id", "name").collect()
    return [RunPlace(*row) for row in sorted(rows.iter_rows())]


def match_runs(reader: Reader, text: str, project: str | None = None) -> list[RunPlace]:
    """The runs a text may mean: PROJECT/RUN_ID, RUN_ID, PROJECT/NAME or NAME.

    An identity goes before a name, so a run that is called like the identity of another does not
    hide it.
    """
    runs = list_runs(reader, project)
    by_id = [run for run in runs if text in (run.run_id, f"{run.project}/{run.run_id}")]
    return by_id or [run for run in runs if text in (run.name, f"{run.project}/{run.name}")]


def find_run(reader: Reader, text: str, project: str | None = None) -> RunPlace:
    """The run a text means: PROJECT/RUN_ID, RUN_ID, PROJECT/NAME or NAME.

    Raises
    ------
    NotFoundError
        There is none.
    InvalidInputError
        There are several; all are listed.
    """
    found = match_runs(reader, text, project)
    if len(found) > 1:
        raise ambiguous(text, found)
    if not found:
        known = [name for run in list_runs(reader, project) for name in (run.name, run.run_id)]
        raise NotFoundError.among("run", text, known)
    return found[0]


def ambiguous(text: str, found: list[RunPlace]) -> InvalidInputError:
    """The error that lists the runs a text may mean."""
    listed = ", ".join(map(str, found))
    return InvalidInputError(
        f"{text!r} may be {len(found)} runs: {listed}. Expected one. Say it as PROJECT/RUN_ID."
    )
