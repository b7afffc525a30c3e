"""One thing that is wrong with a lake."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """What is wrong in which table, and where: a file, or an example of the rows."""

    table: str
    place: str
    what: str
