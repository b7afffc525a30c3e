"""The comment line of an extended XYZ frame: cell, pbc, columns and every other key."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.extxyz_columns import DEFAULT_PROPERTIES, Columns
from ingest.extxyz_comment_tokens import CommentError, Pair, pairs
from ingest.extxyz_values import value
from ingest.frames import Info

Cell = tuple[float, ...]
Periodic = tuple[bool, bool, bool]

NO_CELL: Cell = (0.0,) * 9
_SPECIAL = ("Lattice", "Properties", "pbc")
_ASSIGNMENT = re.compile(r"\b(?:Properties|Lattice)\s*=")
# A file with more layouts than this has keys that change from frame to frame.
_MOST_LAYOUTS = 16
_FLOAT = r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
_LONGEST_REMEMBERED = 32


class Comment(NamedTuple):
    """What a comment line says. ``cell`` has the cell vectors one after the other, 9 numbers."""

    cell: Cell
    pbc: Periodic
    columns: Columns
    info: Info


class CommentReader:
    """Reads comment lines, faster where one has the same keys as one before.

    The keys of a file rarely change, so each layout of keys becomes one regular expression, and
    the careful reader sees only the first line of each.
    """

    def __init__(self) -> None:
        self._layouts: list[_Layout] = []

    def read(self, line: bytes) -> Comment:
        """Read one comment line, UTF-8 or else Latin-1.

        Raises
        ------
        CommentError
            The line is malformed, or says something impossible.
        """
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:
            text = line.decode("latin-1").strip()
        for layout in self._layouts:
            comment = layout.read(text)
            if comment is not None:
                return comment
        return self._read_carefully(text)

    def _read_carefully(self, text: str) -> Comment:
        try:
            found = list(pairs(text))
        except CommentError:
            if _ASSIGNMENT.search(text):
                raise
            return _plain(text)
        keys = {pair.key for pair in found}
        if keys.isdisjoint(_SPECIAL[:2]) and any(pair.text is None for pair in found):
            return _plain(text)
        comment = _comment(found)
        if len(keys) == len(found) and all(pair.is_simple for pair in found):
            self._layouts = [_Layout(found), *self._layouts][:_MOST_LAYOUTS]
        return comment


class _Layout:
    """The keys of a comment line in order, and where their values stand."""

    def __init__(self, found: list[Pair]) -> None:
        self._pattern = re.compile(r"[ \t]+".join(_pair_pattern(pair) for pair in found))
        keys = [pair.key for pair in found]
        self._special = [keys.index(key) if key in keys else -1 for key in _SPECIAL]
        self._rest = [
            (pair.key, i, _converter(pair))
            for i, pair in enumerate(found)
            if pair.key not in _SPECIAL
        ]

    def read(self, text: str) -> Comment | None:
        match = self._pattern.fullmatch(text)
        if match is None:
            return None
        texts = match.groups()
        lattice, properties, pbc = self._special
        return Comment(
            NO_CELL if lattice < 0 else _cell(texts[lattice]),
            _pbc(texts[pbc]) if pbc >= 0 else (lattice >= 0,) * 3,
            _columns(texts[properties] if properties >= 0 else DEFAULT_PROPERTIES),
            {key: convert(texts[i]) for key, i, convert in self._rest},
        )


def _pair_pattern(pair: Pair) -> str:
    key = re.escape(pair.key)
    if pair.is_quoted:
        is_floats = _converter(pair) is _floats
        return key + (r'="([-+0-9.eE ]*)"' if is_floats else r'="([^"\\]*)"')
    is_float = _converter(pair) is float
    return key + (f"=({_FLOAT})" if is_float else r"""=([^\s"'{}\[\]\\][^\s"'\\]*)""")


def _converter(pair: Pair) -> Callable[[str], Any]:
    """What reads the value of a pair, and others that look like it."""
    text = pair.text or ""
    if not pair.is_quoted and re.fullmatch(_FLOAT, text):
        return float
    if pair.is_quoted and " " in text and re.fullmatch("[-+0-9.eE ]*", text):
        return _floats
    return _remembered


def _floats(text: str) -> Any:
    """The value of a text of digits, signs, points and spaces."""
    words = text.split()
    # As many points as words: none is an integer, or two numbers in one.
    if len(words) > 1 and text.count(".") == len(words):
        try:
            return list(map(float, words))
        except ValueError:
            pass
    return value(text)


def _remembered(text: str) -> Any:
    if len(text) >= _LONGEST_REMEMBERED:
        return value(text)
    found = _remembered_scalar(text)
    return value(text) if found is None else found


@lru_cache(maxsize=4096)
def _remembered_scalar(text: str) -> Any:
    """The value of a text, or None for a list: that one is mutable, and must not be shared."""
    found = value(text)
    return None if isinstance(found, list | dict) else found


def _plain(text: str) -> Comment:
    """A line that is no list of keys: the comment of plain XYZ, kept whole."""
    info = {"comment": text} if text else {}
    return Comment(NO_CELL, (False,) * 3, _columns(DEFAULT_PROPERTIES), info)


def _comment(found: list[Pair]) -> Comment:
    info: Info = {}
    texts: dict[str, str | None] = {}
    for pair in found:
        if pair.key in texts and texts[pair.key] != pair.text:
            raise CommentError(
                f"the key {pair.key!r} stands twice in the comment, with different values: "
                f"{_short(texts[pair.key])} and {_short(pair.text)}"
            )
        texts[pair.key] = pair.text
        info[pair.key] = True if pair.text is None else pair.read(pair.text)
    special = {key: info.pop(key, None) for key in _SPECIAL}
    has_cell = special["Lattice"] is not None
    cell = _cell_of(special["Lattice"], texts["Lattice"]) if has_cell else NO_CELL
    pbc = (has_cell,) * 3 if special["pbc"] is None else _pbc_of(special["pbc"], texts["pbc"])
    properties = texts.get("Properties", DEFAULT_PROPERTIES) or ""
    return Comment(cell, pbc, _columns(properties), info)


_columns = lru_cache(maxsize=256)(Columns.parse)


@lru_cache(maxsize=256)
def _cell(text: str) -> Cell:
    return _cell_of(value(text), text)


@lru_cache(maxsize=256)
def _pbc(text: str) -> Periodic:
    return _pbc_of(value(text), text)


def _cell_of(lattice: Any, text: str | None) -> Cell:
    # A nested 3x3 array has the vectors as columns, by the libAtoms specification; the flat list
    # of the old style has one vector after the other.
    rows = lattice if isinstance(lattice, list) else []
    if len(rows) == 3 and all(isinstance(row, list) and len(row) == 3 for row in rows):
        rows = [rows[i][j] for j in range(3) for i in range(3)]
    if len(rows) == 3 and not any(isinstance(row, list) for row in rows):
        a, b, c = rows
        rows = [a, 0, 0, 0, b, 0, 0, 0, c]
    if len(rows) != 9 or any(type(x) not in (int, float) for x in rows):
        raise CommentError(f"Lattice={_short(text)}: 9 numbers expected, or 3 for a box")
    return tuple(map(float, rows))


def _pbc_of(pbc: Any, text: str | None) -> Periodic:
    flags = pbc if isinstance(pbc, list) else [pbc] * 3
    if len(flags) != 3 or any(flag not in (0, 1) for flag in flags):
        raise CommentError(f"pbc={_short(text)}: three of T and F expected")
    a, b, c = map(bool, flags)
    return a, b, c


def _short(text: str | None) -> str:
    text = "T" if text is None else text
    return repr(text if len(text) <= 60 else text[:57] + "…")
