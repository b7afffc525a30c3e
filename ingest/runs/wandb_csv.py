"""CSV exports of wandb's pages: the table of runs, and panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest.frames.frames import EXCERPT_LENGTH, Reject
from ingest.runs.csv_table import CsvTable, cell_value, read_csv_table
from ingest.runs.history import History
from ingest.runs.logged_run import UNKNOWN, LogFile, LoggedFile, LoggedRun, made_up_id
from lake.errors import InvalidInputError
from lake.run_lookup import ambiguous, list_runs

NAME, ID = "Name", "ID"
_STATE, _CREATED = "State", "Created"
# Columns of the table itself; the others are config and summary.
_OF_TABLE = (
    NAME, ID, _STATE, "Notes", "User", "Tags", _CREATED, "Runtime", "Sweep", "Group", "Job Type",
    "Updated", "End Time", "Hostname", "Description", "Commit", "GitHub", "GPU Count", "GPU Type",
)  # fmt: skip
_STEP_COLUMNS = ("Step", "_step")
_BETWEEN = " - "
_NO_NOTE = "-"  # what the export writes where there are no notes


def read_wandb_csv(file: LogFile) -> LoggedFile:
    """The runs in a CSV export: of the table of runs, or of a panel.

    Raises
    ------
    InvalidInputError
        It is neither.
    """
    table = read_csv_table(file)
    if NAME in table.header:
        return _read_table_of_runs(table)
    if table.header and table.header[0] in _STEP_COLUMNS:
        return _read_panel(file, table)
    raise InvalidInputError(
        f"the first column is {table.header[0]!r}, and none is called 'Name'. Expected the export "
        "of wandb's table of runs, which has a column Name, or of a panel over steps, whose first "
        "column is Step. Set the panel's x axis to Step and export it again."
    )


def _read_table_of_runs(table: CsvTable) -> LoggedFile:
    config, summary, notes = _split_columns(table.header)
    runs: list[LoggedRun] = []
    rejects = list(table.rejects)
    seen: set[str] = set()
    for line, cells in table.rows:
        row = dict(zip(table.header, cells, strict=True))
        run = _run_of_row(row, config, summary)
        if run.run_id in seen or not run.name:
            what = "has no name" if not run.name else "is there twice, with one name and one time"
            reason = (
                f"the run {run.name!r} {what}. Expected to tell runs apart. Add the column ID to "
                "the table before it is exported."
            )
            rejects.append(Reject(line, line, reason, ",".join(cells)[:EXCERPT_LENGTH]))
            continue
        seen.add(run.run_id)
        runs.append(run)
    return LoggedFile(runs, {}, rejects, [*table.notes, *notes])


def _split_columns(header: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Columns of config, and of summary; and what to say of how they were told apart.

    The export does not mark them. It writes those of the config first, by name, and then those of
    the summary, again by name: where the names start again is the border.
    """
    columns = [name for name in header if name not in _OF_TABLE]
    drops = [i for i in range(1, len(columns)) if columns[i] < columns[i - 1]]
    if len(drops) == 1:
        return columns[: drops[0]], columns[drops[0] :], []
    summary = [name for name in columns if "/" in name or name.startswith("_")]
    config = [name for name in columns if name not in summary]
    note = (
        "the columns are not in the order of wandb's export, which tells config from summary: "
        "those with '/' in their name, or '_' before it, were taken as summary"
    )
    return config, summary, [note] if columns else []


def _run_of_row(row: Mapping[str, str], config: Sequence[str], summary: Sequence[str]) -> LoggedRun:
    name = row[NAME]
    said = {
        column.lower().replace(" ", "_"): cell_value(row[column])
        for column in _OF_TABLE
        if column not in (NAME, ID, _STATE, _CREATED) and row.get(column)
    }
    if said.get("notes") == _NO_NOTE:
        del said["notes"]
    created = row.get(_CREATED, "")
    return LoggedRun(
        row.get(ID) or made_up_id("csv", name, created),
        name,
        state=row.get(_STATE) or UNKNOWN,
        config={column: cell_value(row[column]) for column in config},
        summary={column: cell_value(row[column]) for column in summary},
        attributes=said,
        created_at=_moment(created),
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_panel(file: LogFile, table: CsvTable) -> LoggedFile:
    """The curves of a panel: columns ``RUN - KEY``, and bounds ``RUN - KEY__MIN``, ``__MAX``."""
    runs = _runs_of_columns(file, table.header[1:])
    histories = {name: History() for name in {run for run, _ in runs.values()}}
    rejects = list(table.rejects)
    for line, cells in table.rows:
        step = cell_value(cells[0])
        if not isinstance(step, int) or isinstance(step, bool) or not abs(step) < 2**63:
            reason = f"the step is {cells[0]!r}. Expected a whole number."
            rejects.append(Reject(line, line, reason, ",".join(cells)[:EXCERPT_LENGTH]))
            continue
        row = dict(zip(table.header, cells, strict=True))
        for column, (run, key) in runs.items():
            if row[column] != "":
                histories[run].add(step, [(key, cell_value(row[column]))], line=line)
    identities = _identities(file, histories)
    kinds: dict[str, int] = {}
    logged = []
    for name, history in histories.items():
        for kind, count in history.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + count
        logged.append(LoggedRun(identities[name], name, history=history.frame()))
    note = (
        "wandb samples the curves of a panel, and may smooth them: for whole histories read the "
        ".wandb files, or the project online"
    )
    return LoggedFile(logged, kinds, rejects, [*table.notes, note])


def _runs_of_columns(file: LogFile, columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name of the run and key of each column; names the lake knows decide where to part them."""
    known = {run.name for run in list_runs(file.reader, file.project)} if file.reader else set()
    found = {}
    for column in columns:
        cuts = [i for i in range(len(column)) if column.startswith(_BETWEEN, i)]
        if not cuts:
            raise InvalidInputError(
                f"the column {column!r} names no run and key. Expected 'RUN - KEY', as wandb "
                "exports panels that are not grouped. Export the panel without groups."
            )
        cut = next((i for i in cuts if column[:i] in known), cuts[-1])
        found[column] = (column[:cut], column[cut + len(_BETWEEN) :])
    return found


def _identities(file: LogFile, names: Mapping[str, Any]) -> dict[str, str]:
    """The identity of each run: of the one the lake has, or else one made of its name."""
    there = list_runs(file.reader, file.project) if file.reader else []
    found = {}
    for name in names:
        known = [run for run in there if run.name == name]
        if len(known) > 1:
            raise ambiguous(name, known)
        found[name] = known[0].run_id if known else made_up_id("csv", name)
    return found
