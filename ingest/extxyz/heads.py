"""Where a frame begins: recognising a count line and the comment line under it."""

from __future__ import annotations

import re
from collections.abc import Iterator

COUNT = re.compile(rb"[ \t]*\+?([0-9]+)[ \t\r]*")
# A count, or what is left of one ("2.0", "-3", "64 atoms"): at most three words, of which the first
# is a number. An atom line has four or more.
_COUNT_LIKE = rb"[ \t]*[-+]?[0-9][0-9.]*(?:[ \t]+[^\s=]+){0,2}[ \t]*"
_COUNT_LINE = re.compile(_COUNT_LIKE)
# To begin with the line end before it, and not with ^, makes the search ten times as fast.
_NEXT_COUNT_LINE = re.compile(rb"\n" + _COUNT_LIKE + rb"(?=\r?\n)")
_NUMBER = re.compile(rb"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][-+]?[0-9]+)?")
_SPACE = re.compile(rb"\s*")

# Lines are looked at no further than this when deciding what they are.
_LOOK = 4096


def atom_count(text: bytes) -> int | None:
    """The count a line states, or None when the line is not one plain integer."""
    if text.isdigit():
        return int(text) if len(text) < 20 else None
    match = COUNT.fullmatch(text)
    return int(match[1]) if match and len(match[1]) < 20 else None


def skip_blank(data: bytes, position: int) -> int:
    """Where the next text begins: the start of its line, or the end of `data`."""
    match = _SPACE.match(data, position)
    text = match.end() if match else position
    if text == len(data):
        return text
    return max(position, data.rfind(b"\n", position, text) + 1)


def is_atom_line(text: bytes) -> bool:
    """Whether a line looks like an atom: four or more words, three of them numbers in a row."""
    words = text[:_LOOK].split()
    if len(words) < 4 or b"=" in words[0]:
        return False
    numeric = [_NUMBER.fullmatch(word) is not None for word in words]
    return any(all(numeric[i : i + 3]) for i in range(len(words) - 2))


def is_head(data: bytes, position: int, is_last: bool) -> bool | None:
    """Whether a frame begins at `position`, even one whose count is malformed.

    Returns
    -------
    bool | None
        None when `data` ends too early to tell and more may follow (`is_last` is false).
    """
    ends = [position]
    for _ in range(3):
        end = data.find(b"\n", ends[-1])
        if end < 0:
            if not is_last:
                return None
            end = len(data) - 1
        ends.append(end + 1)
    if not _COUNT_LINE.fullmatch(data[ends[0] : ends[1]].rstrip()):
        return False
    comment = data[ends[1] : ends[2]]
    if is_atom_line(comment):
        return False
    return b"=" in comment or is_atom_line(data[ends[2] : ends[3]])


def find_head(data: bytes, position: int, is_last: bool) -> tuple[int, int]:
    """The first frame that begins at a line at or after `position`.

    Returns
    -------
    tuple[int, int]
        Where it begins (-1 when there is none), and from where to keep `data` when more follows:
        nothing before that is the beginning of a frame.
    """
    for candidate in _candidates(data, position):
        verdict = is_head(data, candidate, is_last)
        if verdict:
            return candidate, candidate
        if verdict is None:
            return -1, candidate
    return -1, max(position, data.rfind(b"\n", position) + 1)


def _candidates(data: bytes, position: int) -> Iterator[int]:
    """Where lines begin that look like a count, at or after `position`."""
    if position == 0:
        yield 0
    for match in _NEXT_COUNT_LINE.finditer(data, max(position - 1, 0)):
        yield match.start() + 1
