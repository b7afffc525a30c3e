"""The comment line of an extended XYZ frame: cell, pbc, columns and every other key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.extxyz.columns import DEFAULT_PROPERTIES, Columns
from ingest.extxyz.comment_layout import CommentLayout
from ingest.extxyz.comment_tokens import CommentError, Pair, pairs
from ingest.frames.frames import Info
from ingest.frames.text_values import value

Cell = tuple[float, ...]
Periodic = tuple[bool, bool, bool]

NO_CELL: Cell = (0.0,) * 9
_SPECIAL = ("Lattice", "Properties", "pbc")
_ASSIGNMENT = re.compile(r"\b(?:Properties|Lattice)\s*=")
# A block with more layouts than this has keys that change from frame to frame.
_MOST_LAYOUTS = 16


class Comment(NamedTuple):
    """What a comment line says. ``cell`` has the cell vectors one after the other, 9 numbers."""

    cell: Cell
    pbc: Periodic
    columns: Columns
    info: Info


def read_comments(lines: Sequence[bytes]) -> list[Comment | CommentError]:
    """Read comment lines, UTF-8 or else Latin-1; an error stands in place of a bad one.

    The keys of a file rarely change. So the first line of each layout of keys is read with care,
    and those that look like it by one regular expression and column by column.
    """
    texts = [_text(line) for line in lines]
    comments: dict[int, Comment | CommentError] = {}
    pending = list(range(len(texts)))
    n_layouts = 0
    while pending:
        first = pending[0]
        try:
            comments[first], pairs = _read_carefully(texts[first])
        except CommentError as error:
            comments[first], pairs = error, []
        if pairs and n_layouts < _MOST_LAYOUTS:
            n_layouts += 1
            comments |= _read_alike(CommentLayout(pairs), texts, pending[1:])
        pending = [i for i in pending if i not in comments]
    return [comments[i] for i in range(len(texts))]


def _text(line: bytes) -> str:
    try:
        return line.decode().strip()
    except UnicodeDecodeError:
        return line.decode("latin-1").strip()


def _read_alike(layout: CommentLayout, texts: list[str], pending: list[int]) -> dict[int, Comment]:
    """Read the pending lines that have this layout; an impossible one is left alone."""
    matched = [(i, found) for i in pending if (found := layout.match(texts[i])) is not None]
    special = {
        key: _by_text(read, {found[layout.keys.index(key)] for _, found in matched})
        for key, read in (("Lattice", _cell), ("Properties", _columns), ("pbc", _pbc))
        if key in layout.keys
    }
    for key, known in special.items():
        j = layout.keys.index(key)
        matched = [(i, found) for i, found in matched if found[j] in known]
    if not matched:
        return {}
    columns = dict(
        zip(layout.keys, zip(*(found for _, found in matched), strict=True), strict=True)
    )
    k = len(matched)
    specials: dict[str, list[Any]] = {
        key: [known[text] for text in columns[key]] for key, known in special.items()
    }
    cells = specials.get("Lattice", [NO_CELL] * k)
    pbcs = specials.get("pbc", [("Lattice" in special,) * 3] * k)
    declared = specials.get("Properties", [_columns(DEFAULT_PROPERTIES)] * k)
    rest = [(j, key) for j, key in enumerate(layout.keys) if key not in special]
    keys = [key for _, key in rest]
    values = zip(*(layout.values(j, columns[key]) for j, key in rest), strict=True)
    infos = [dict(zip(keys, row, strict=True)) for row in values] if rest else [{} for _ in cells]
    rows = map(Comment, cells, pbcs, declared, infos)
    return dict(zip((i for i, _ in matched), rows, strict=True))


def _by_text(read: Callable[[str], Any], texts: set[str]) -> dict[str, Any]:
    """What each text means, less those that mean nothing."""
    known: dict[str, Any] = {}
    for text in texts:
        with suppress(CommentError):
            known[text] = read(text)
    return known


def _read_carefully(text: str) -> tuple[Comment, list[Pair]]:
    """A comment, and its pairs when others may be read by their pattern.

    Raises
    ------
    CommentError
        The line is malformed, or says something impossible.
    """
    try:
        found = list(pairs(text))
    except CommentError:
        if _ASSIGNMENT.search(text):
            raise
        return _plain(text), []
    keys = {pair.key for pair in found}
    if keys.isdisjoint(_SPECIAL[:2]) and any(pair.text is None for pair in found):
        return _plain(text), []
    is_simple = len(keys) == len(found) and all(pair.is_simple for pair in found)
    return _comment(found), found if is_simple else []


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
