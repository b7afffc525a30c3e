"""Numbers of things in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A number with its noun, which takes an s but after 1.

    Examples
    --------
    >>> counted(1, "frame"), counted(1234, "frame")
    ('1 frame', '1,234 frames')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
