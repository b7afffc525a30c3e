"""Lightning's ``metrics.csv``, as its CSVLogger writes it: sparse rows with epoch and step."""

from __future__ import annotations

from pathlib import PurePath

from ingest.frames.frames import EXCERPT_LENGTH, Reject
from ingest.runs.csv_table import CsvTable, cell_value, read_csv_table
from ingest.runs.history import EPOCH_KEY, History, epoch_in
from ingest.runs.logged_run import LogFile, LoggedFile, LoggedRun, made_up_id
from lake.errors import InvalidInputError

NAME = "metrics.csv"
STEP = "step"
_COLUMNS = (STEP, EPOCH_KEY)


def read_lightning_csv(file: LogFile) -> LoggedFile:
    """The run in a ``metrics.csv``.

    Empty cells are what was not logged at a step, and no values. The run is named after the
    folders, ``NAME/version_0``. Its identity comes of its place and its first row: the latter alone
    may be nothing but a learning rate, which runs with other seeds share.

    Raises
    ------
    InvalidInputError
        It is no CSV, has no column ``step``, or no rows.
    """
    table = read_csv_table(file, ends_rows=True)
    if STEP not in table.header:
        raise InvalidInputError(
            f"no column is called {STEP!r}; there are {', '.join(table.header[:8])}. Expected the "
            "metrics.csv of Lightning's CSVLogger. Name that file."
        )
    if not table.rows:
        raise InvalidInputError(
            "there are no rows yet. Expected at least one. Read it again later."
        )
    history = History()
    rejects = list(table.rejects)
    for line, cells in table.rows:
        row = {n: cell_value(c) for n, c in zip(table.header, cells, strict=True) if c != ""}
        step = row.get(STEP)
        if not isinstance(step, int) or isinstance(step, bool) or not abs(step) < 2**63:
            reason = f"step is {step!r}. Expected a whole number."
            rejects.append(Reject(line, line, reason, ",".join(cells)[:EXCERPT_LENGTH]))
            continue
        values = [(key, value) for key, value in row.items() if key not in _COLUMNS]
        history.add(step, values, epoch=epoch_in(row.get(EPOCH_KEY)), line=line)
    run = LoggedRun(_identity(file, table), file.name or _name(file.uri), history=history.frame())
    notes = ["metrics.csv does not say whether a run has ended: its state is unknown."]
    return LoggedFile([run], history.kinds, rejects, [*table.notes, *notes])


def _identity(file: LogFile, table: CsvTable) -> str:
    """Of the first row without empty cells: Lightning adds columns, and may reorder them, later."""
    cells = zip(table.header, table.rows[0][1], strict=True)
    first = sorted(f"{name}={cell}" for name, cell in cells if cell != "")
    return made_up_id("lightning", file.uri, *first)


def _name(uri: str) -> str:
    """The folders a logger names: ``…/NAME/version_0/metrics.csv`` is ``NAME/version_0``."""
    folders = [part for part in PurePath(uri).parts[:-1] if part not in ("/", ".")]
    count = 2 if folders and folders[-1].startswith("version_") else 1
    return "/".join(folders[-count:]) or NAME
