"""Results as one aligned table."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.result import Result

HEADING = ("question", "contender", "quantity", "median", "range", "n", "ratio", "goal", "")
FLUSH_RIGHT = ("median", "range", "n", "ratio")


def table_text(results: Sequence[Result]) -> str:
    """A row per result; the ratio says how many times better the question's first row is."""
    rows = [HEADING, *(_row(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if name in FLUSH_RIGHT else text.ljust(width)
            for text, width, name in zip(row, widths, HEADING, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _row(result: Result) -> tuple[str, ...]:
    if result.quantity is None or result.figure is None:
        return (result.question, result.contender, result.note, "", "", "0", "", "", "")
    verdict = {True: "met", False: "MISSED", None: ""}[result.is_met]
    return (
        result.question,
        result.contender,
        result.quantity.name,
        f"{number(result.figure)} {result.quantity.unit}",
        f"{number(min(result.values))}–{number(max(result.values))}",
        str(len(result.values)),
        "" if result.ratio is None else f"{result.ratio:.2f}",
        "" if result.goal is None else str(result.goal),
        verdict,
    )


def number(value: float) -> str:
    """Three digits that matter, and no more.

    Examples
    --------
    >>> [number(value) for value in (0, 0.012345, 3.14159, 27.18, 12345.6)]
    ['0', '0.0123', '3.14', '27.2', '12,346']
    """
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:#.3g}"
