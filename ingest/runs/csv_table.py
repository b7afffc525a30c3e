"""CSV files as logging programs write them: a header, rows, and values in cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.frames.frames import EXCERPT_LENGTH, Reject
from ingest.runs.logged_run import LogFile
from ingest.runs.logged_values import decode_json
from lake.counted import counted
from lake.errors import InvalidInputError

_LARGEST_CELL = 1 << 30
_WORDS = {"true": True, "false": False, "True": True, "False": False, "": None}
_FOREIGN_NUMBERS = {
    "nan": float("nan"),
    "NaN": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


@dataclass(frozen=True)
class CsvTable:
    """A header and rows as wide as it, each with the line it begins at; the others as rejects."""

    header: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    rejects: Sequence[Reject]
    notes: Sequence[str]


def read_csv_table(file: LogFile, *, ends_rows: bool = False) -> CsvTable:
    """The rows of a CSV file.

    Parameters
    ----------
    ends_rows
        The program that writes it ends every row, so that a last one without an end is unfinished.

    Raises
    ------
    InvalidInputError
        It is not UTF-8, not CSV, has no header, or names a column twice.
    """
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"not UTF-8 ({error}). Expected CSV. Export it again.") from None
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    rows: list[tuple[int, Sequence[str]]] = []
    rejects: list[Reject] = []
    line = line_of_last = 1
    try:
        for cells in reader:
            if header is None:
                header = _checked(cells)
            elif len(cells) == len(header):
                rows.append((line, cells))
            elif cells:
                rejects.append(_uneven(line, cells, header))
            line_of_last, line = line, reader.line_num + 1
    except csv.Error as error:
        raise InvalidInputError(
            f'line {line}: {error}. Expected CSV, with " doubled in quotes. Export it again.'
        ) from None
    if header is None:
        raise InvalidInputError("the file is empty. Expected CSV with a header. Export it again.")
    notes: list[str] = []
    if ends_rows and not text.endswith(("\n", "\r")):
        unfinished = line_of_last
        rows = [row for row in rows if row[0] < unfinished]
        rejects = [reject for reject in rejects if reject.line < unfinished]
        notes.append(f"line {unfinished} has no end yet, and was left out: it is being written.")
    return CsvTable(header, rows, rejects, notes)


def _checked(header: list[str]) -> list[str]:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InvalidInputError(
            f"the header names {', '.join(twice)} twice. Expected each column once. Rename one."
        )
    return header


def _uneven(line: int, cells: Sequence[str], header: Sequence[str]) -> Reject:
    reason = (
        f"{counted(len(cells), 'cell')} under {counted(len(header), 'column')}. Expected as many."
    )
    return Reject(line, line, reason, ",".join(cells)[:EXCERPT_LENGTH])


def cell_value(text: str) -> Any:
    """What a cell holds: a number, a truth value, JSON, text, or None where it is empty.

    Examples
    --------
    >>> [cell_value(text) for text in ("1e-06", "007", '["Ti"]', "true", "", "nan")]
    [1e-06, '007', ['Ti'], True, None, nan]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text in _FOREIGN_NUMBERS:
        return _FOREIGN_NUMBERS[text]
    if text[0] in "-0123456789[{":
        try:
            return decode_json(text)
        except ValueError:
            return text
    return text
