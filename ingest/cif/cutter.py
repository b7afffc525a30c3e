"""CIF text, cut at the headings of its data blocks, so that one broken block leaves the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

# A line that begins with a semicolon opens or closes a text field, in which headings are text.
_MARK = re.compile(r"^(?:;|[ \t]*(?:data_|global_))", re.MULTILINE | re.IGNORECASE)
_COMMENTS = re.compile(r"(?:[ \t]*(?:#.*)?\n)*[ \t]*(?:#.*)?")


class CifPiece(NamedTuple):
    """Text of one data block, or of what stands before the first. ``line`` counts from 1."""

    text: str
    line: int


def decoded(data: bytes) -> str:
    """Text of a file: UTF-8, or else Latin-1; with plain line ends and no byte order mark."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def cut(text: str) -> Iterator[CifPiece]:
    """Cut a file at its headings; what stands before the first is left out if it is comments.

    Examples
    --------
    >>> list(cut("# two\\ndata_a\\n_x 1\\ndata_b\\n"))
    [CifPiece(text='data_a\\n_x 1\\n', line=2), CifPiece(text='data_b\\n', line=4)]
    """
    starts, is_text = [0], False
    for mark in _MARK.finditer(text):
        if mark[0] == ";":
            is_text = not is_text
        elif not is_text:
            starts.append(mark.start())
    line = 1
    for start, end in pairwise((*starts, len(text))):
        piece = text[start:end]
        if start > 0 or not _COMMENTS.fullmatch(piece):
            yield CifPiece(piece, line)
        line += piece.count("\n")
