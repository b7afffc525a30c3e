"""The text of one cell of a printed table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

LIST_ITEMS = 3  # shown of a longer list
DIGITS = 10  # of a float; files and JSON hold them all


def cell_text(value: object) -> str:
    """A value on one line, long lists shortened.

    Examples
    --------
    >>> cell_text([0.5, 1.0, 1.5, 2.0])
    '[0.5, 1, 1.5, … 4 in all]'
    >>> cell_text({"x": [0.0], "y": None})
    '{x: [0], y: NULL}'
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.{DIGITS}g}"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case list() | tuple():
            shown = [cell_text(item) for item in value[:LIST_ITEMS]]
            if len(value) > LIST_ITEMS:
                shown.append(f"… {len(value)} in all")
            return f"[{', '.join(shown)}]"
        case Mapping():
            return "{" + ", ".join(f"{k}: {cell_text(v)}" for k, v in value.items()) + "}"
        case _:
            return " ".join(str(value).split())
