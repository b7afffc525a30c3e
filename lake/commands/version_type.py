"""A version of the lake as it is written on the command line."""

from __future__ import annotations


def version(text: str) -> int | str:
    """A number, or the name of a tag.

    Examples
    --------
    >>> version("17"), version("paper-v1")
    (17, 'paper-v1')
    """
    return int(text) if text.isdecimal() else text
