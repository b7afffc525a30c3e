"""Values as they were logged, gathered into the columns of a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from ingest.runs.logged_run import HISTORY
from ingest.runs.logged_values import logged_values

EPOCH_KEY = "epoch"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_S = 253_402_300_799  # the end of the year 9999


class History:
    """Gathers values row by row, for formats whose files are small."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self._columns: dict[str, list[Any]] = {name: [] for name in HISTORY}

    def add(
        self,
        step: int,
        values: Iterable[tuple[str, Any]],
        *,
        epoch: float | None = None,
        logged_at: datetime | None = None,
        line: int = 0,
    ) -> None:
        """Add the values logged at one step, nested ones under joined keys."""
        columns = self._columns
        for name, decoded in values:
            for each in logged_values(name, decoded):
                self.kinds[each.kind] += 1
                columns["step"].append(step)
                columns["epoch"].append(epoch)
                columns["key"].append(each.key)
                columns["value"].append(each.number)
                columns["other"].append(each.other)
                columns["logged_at"].append(logged_at)
                columns["line"].append(line)

    def frame(self) -> pl.DataFrame:
        """The columns `HISTORY`, in the order in which values were added."""
        return pl.DataFrame(self._columns, schema=HISTORY)


def epoch_in(value: Any) -> float | None:
    """The epoch a row was logged at, where it is a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a moment; None where they are none."""
    if seconds is None or not -_LATEST_S <= seconds <= _LATEST_S:
        return None
    return _BEGINNING + timedelta(seconds=seconds)
