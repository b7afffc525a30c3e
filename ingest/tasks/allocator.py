"""Keeping freed memory at hand while blocks are parsed.

Every block needs some tens of MB for a few milliseconds. By default glibc hands them back to the
system each time, and gets them again page by page, which costs as much as the parsing. Other C
libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# From malloc.h: parameter, value while parsing, glibc's own value.
_ARENA_MAX = (-8, 1, 0)  # one heap for all threads, so that what one freed another takes
_TOP_PAD = (-2, 64 << 20, 0)
_TRIM_THRESHOLD = (-1, 256 << 20, 128 << 10)
_MMAP_THRESHOLD = (-3, 32 << 20, 128 << 10)
_PARAMETERS = (_ARENA_MAX, _TOP_PAD, _TRIM_THRESHOLD, _MMAP_THRESHOLD)


def keep_freed_memory() -> None:
    """Have this process keep up to 256 MB of freed memory from now on."""
    libc = _glibc()
    if libc is not None:
        for parameter, value, _ in _PARAMETERS:
            libc.mallopt(parameter, value)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """As `keep_freed_memory`, until the block ends; then the memory goes back."""
    keep_freed_memory()
    try:
        yield
    finally:
        libc = _glibc()
        if libc is not None:
            for parameter, _, usual in _PARAMETERS:
                libc.mallopt(parameter, usual)
            libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
