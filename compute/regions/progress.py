"""How far a job of regions is, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from compute.regions.running import Progress, no_progress

_LINE_EVERY_S = 30.0


@contextmanager
def progress_shown(*, is_wanted: bool) -> Iterator[Progress]:
    """A callback that shows structures done: one line on a terminal, one now and then elsewhere."""
    if not is_wanted or sys.stderr is None:  # None where it was closed
        yield no_progress
    elif sys.stderr.isatty():
        yield lambda *counts: _write(f"\r\x1b[2K{progress_text(*counts)}")
        _write("\r\x1b[2K")
    else:
        yield _lines()


def progress_text(done: int, total: int, seconds: float) -> str:
    """The line that is shown."""
    rate = done / max(seconds, 1e-9)
    left = f", {(total - done) / rate:,.0f} s left" if done else ""
    return f"{done:,} of {total:,} structures, {rate:,.0f} structures/s{left}"


def _lines() -> Progress:
    last = time.monotonic()

    def show(done: int, total: int, seconds: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            _write(f"{progress_text(done, total, seconds)}\n")

    return show


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
