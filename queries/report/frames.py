"""Tables of a page from frames."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import polars as pl

from queries.report.blocks import Cell, Heading, Table

NULL = Cell("–", None)
ERROR_COLUMN = re.compile(r"(^|_)(mae|rmse)(_|$)")
WITHOUT_UNIT = ("_variation",)
MOST_ROWS = 200
ROWS_OF_LONG = 100


def table_of(
    frame: pl.DataFrame,
    title: str,
    *,
    note: str = "",
    longest: int = MOST_ROWS,
    unit: Callable[[str], str] | None = None,
) -> Table:
    """A frame as a table; of a long one the first rows, and it says so.

    Parameters
    ----------
    longest
        Rows of which all are shown.
    unit
        The unit of a column by its name; that of a comparison by default.
    """
    if len(frame) > longest:
        cut = (
            f"The first {ROWS_OF_LONG} of {len(frame):,} rows; sorting sorts these. The table's "
            "file has all."
        )
        note = f"{note} {cut}".strip()
        frame = frame.head(ROWS_OF_LONG)
    # Identities are no amounts, and have more digits than JavaScript's numbers.
    shown = frame.with_columns(pl.col(r"^.*_id$").cast(pl.String))
    headings = tuple(
        Heading(name, (unit or unit_of)(name), is_number=dtype.is_numeric())
        for name, dtype in shown.schema.items()
    )
    rows = tuple(tuple(cell_of(value) for value in row) for row in shown.iter_rows())
    return Table(title, headings, rows, note)


def cell_of(value: object) -> Cell:
    """A value as a cell: what is shown is rounded, what is sorted by is not."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Cell("yes" if value else "no", "yes" if value else "no")
    if isinstance(value, float):
        if math.isnan(value):
            return Cell("NaN", None)
        return Cell(number_text(value), repr(value).replace("inf", "Infinity"))  # as JavaScript
    if isinstance(value, int):
        return Cell(f"{value:,}", str(value))
    text = str(value)
    return Cell(text, text)


def number_text(value: float) -> str:
    """A number to four significant digits."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}".replace("inf", "∞").replace("-", "−")
    if 1e4 <= abs(value) < 1e7:
        return f"{value:,.0f}".replace("-", "−")
    text = f"{value:#.4g}" if 1e-4 <= abs(value) < 1e4 else f"{value:.3e}"
    return text.rstrip(".").replace("-", "−")


def unit_of(column: str) -> str:
    """The unit of a column of a comparison, by its name."""
    if column.endswith(WITHOUT_UNIT):
        return ""
    is_error = bool(ERROR_COLUMN.search(column)) or bool(re.fullmatch(r"q\d\d|low|high", column))
    return "eV/Å" if is_error else ""
