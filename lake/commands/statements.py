"""Where one SQL statement ends and the next begins."""

from __future__ import annotations

import re

# A quotation or comment that nobody closed goes on to the end.
_PARTS = re.compile(
    r"""'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)|;""",
    re.DOTALL,
)
_NOTHING = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)


def split_statements(text: str) -> tuple[list[str], str]:
    """The statements that end with a semicolon, and what comes after the last.

    Examples
    --------
    >>> split_statements("SELECT 1; SELECT ';' -- ;")
    (['SELECT 1;'], " SELECT ';' -- ;")
    """
    found: list[str] = []
    start = 0
    for part in _PARTS.finditer(text):
        if part[0] == ";":
            found.append(text[start : part.end()])
            start = part.end()
    return found, text[start:]


def is_blank(text: str) -> bool:
    """Whether there is nothing but comments, spaces and semicolons."""
    return _NOTHING.fullmatch(text) is not None
