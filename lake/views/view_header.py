"""What the header of a view's statement says: its meaning, its grain, its columns and units."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MEANING = re.compile(r"(\S.*?) One row per \(?(.*?)\)?\.(?: .*)?")
_COLUMN = re.compile(r"-- {3}([\w/]+) +(\S+)(?: \[([^\]]+)\])? +(\S.*)")
_COLUMNS = "-- columns:"


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view, its type short: ``STRUCT`` without what is in it."""

    name: str
    type: str
    unit: str | None
    doc: str


@dataclass(frozen=True)
class ViewHeader:
    """A view: what it holds, the columns that tell its rows apart, and all its columns."""

    doc: str
    grain: tuple[str, ...]
    columns: tuple[ViewColumn, ...]


def read_header(sql: str) -> ViewHeader:
    """Read the comment that a view's statement begins with.

    Raises
    ------
    ValueError
        It is not written as `lake/views` asks: description, grain, columns.
    """
    lines = [line for line in sql.partition("\nSELECT")[0].splitlines() if line.startswith("--")]
    at = lines.index(_COLUMNS)
    meaning = _MEANING.fullmatch(" ".join(line.removeprefix("-- ") for line in lines[:at]))
    found = [_COLUMN.fullmatch(line) for line in lines[at + 1 :]]
    if meaning is None or not all(found):
        raise ValueError(f"not the header of a view: {lines}")
    columns = tuple(ViewColumn(*match.groups()) for match in found if match is not None)
    return ViewHeader(meaning[1], tuple(meaning[2].split(", ")), columns)
