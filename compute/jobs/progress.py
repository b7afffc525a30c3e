"""How far a job is: one line kept up to date on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from compute.jobs.report import Tally
from compute.jobs.running import Progress, no_progress

_LINE_EVERY_S = 30.0


@contextmanager
def progress_shown(*, is_wanted: bool) -> Iterator[Progress]:
    """A callback that shows structures, atoms/s, failures and time left on standard error."""
    if not is_wanted or sys.stderr is None:  # None where it was closed
        yield no_progress
    elif sys.stderr.isatty():
        yield lambda tally, seconds: _write(f"\r\x1b[2K{progress_text(tally, seconds)}")
        _write("\r\x1b[2K")
    else:
        yield _lines()


def progress_text(tally: Tally, seconds: float) -> str:
    """The line that is shown."""
    answered = tally.n_missing - tally.n_left
    rate = tally.count("atoms") / max(seconds, 1e-9)
    text = (
        f"{answered:,} of {tally.n_missing:,} structures, {rate:,.0f} atoms/s, "
        f"{tally.count('failed'):,} failed"
    )
    if answered:
        text += f", {_duration(seconds / answered * tally.n_left)} left"
    return text


def _lines() -> Progress:
    last = time.monotonic()

    def show(tally: Tally, seconds: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            _write(f"{progress_text(tally, seconds)}\n")

    return show


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
