"""How far an ingest is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ingest.tasks.tasks import Progress, no_progress

_LINE_EVERY_S = 30.0


@contextmanager
def progress_shown(*, is_wanted: bool) -> Iterator[Progress]:
    """A callback that shows bytes read on standard error."""
    if not is_wanted:
        yield no_progress
    elif sys.stderr.isatty():
        yield from _bar()
    else:
        yield _lines()


def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("", total=None)
        yield lambda done, total: bar.update(shown, completed=done, total=total)


def _lines() -> Progress:
    last = time.monotonic()

    def show(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last < _LINE_EVERY_S:
            return
        last = time.monotonic()
        of = f" of {total / 1e6:,.0f}" if total else ""
        sys.stderr.write(f"read {done / 1e6:,.0f}{of} MB\n")

    return show
