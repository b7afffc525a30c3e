"""How far a job is: one line kept up to date on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

Counts = ParamSpec("Counts")

_LINE_EVERY_S = 30.0
_NEW_LINE = "\r\x1b[2K"  # in place of the one that stands there


@contextmanager
def line_shown(text: Callable[Counts, str], *, is_wanted: bool) -> Iterator[Callable[Counts, None]]:
    """A callback that shows a text on standard error.

    Parameters
    ----------
    text
        The line, of what the callback is called with.
    """
    if not is_wanted or sys.stderr is None:  # None where it was closed
        yield _nothing(text)
    elif sys.stderr.isatty():
        yield _one_line(text)
        _write(_NEW_LINE)
    else:
        yield _lines(text)


def _nothing(_text: Callable[Counts, str]) -> Callable[Counts, None]:
    def show(*counts: Counts.args, **more: Counts.kwargs) -> None:
        pass

    return show


def _one_line(text: Callable[Counts, str]) -> Callable[Counts, None]:
    def show(*counts: Counts.args, **more: Counts.kwargs) -> None:
        _write(f"{_NEW_LINE}{text(*counts, **more)}")

    return show


def _lines(text: Callable[Counts, str]) -> Callable[Counts, None]:
    last = time.monotonic()

    def show(*counts: Counts.args, **more: Counts.kwargs) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            _write(f"{text(*counts, **more)}\n")

    return show


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
