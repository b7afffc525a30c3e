"""The atom lines of one frame read line by line: slower, and precise about what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.extxyz.atoms import Arrays, text_of
from ingest.extxyz.columns import Column, Columns
from lake.counted import counted

_INTEGER = re.compile(rb"[+-]?[0-9]+")
_TRUTHS = {b"T": True, b"F": False, b"True": True, b"False": False, b"true": True}
_TRUTHS |= {b"false": False, b"TRUE": True, b"FALSE": False}
_EXPECTED = {"R": "a number", "I": "an integer of 64 bits", "S": "text", "L": "T or F"}
_DTYPES: dict[str, type] = {"R": np.float64, "I": np.int64, "L": np.bool_, "S": object}


class BadAtomLineError(ValueError):
    """An atom line that is wrong; ``index`` counts from the first atom line of the frame."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def read_atom_lines(body: bytes, n_atoms: int, columns: Columns) -> Arrays:
    """Read the atom lines of one frame.

    Takes what the fast reader does not: nan and infinity, words of any length.

    Raises
    ------
    BadAtomLineError
        The first fault found, with its line.
    """
    words = _fields(body, n_atoms, columns)
    arrays: Arrays = {}
    first = 0
    for column in columns.all:
        values: NDArray[Any] = np.empty((n_atoms, column.width), dtype=_DTYPES[column.kind])
        for j in range(column.width):
            values[:, j] = _read_column(words[first + j :: columns.n_fields], column)
        arrays[column.name] = values if column.width > 1 else values[:, 0]
        first += column.width
    return arrays


def _fields(body: bytes, n_atoms: int, columns: Columns) -> list[bytes]:
    expected = columns.n_fields
    words: list[bytes] = []
    lines = body.split(b"\n")
    for index in range(n_atoms):
        found = lines[index].split() if index < len(lines) else []
        if len(found) != expected:
            raise BadAtomLineError(
                index, f"has {counted(len(found), 'value')} where the columns make {expected}"
            )
        if b"\0" in lines[index]:
            raise BadAtomLineError(index, "holds a NUL byte")
        words += found
    return words


def _read_column(words: list[bytes], column: Column) -> list[Any]:
    read = _READERS[column.kind]
    try:
        return [read(word) for word in words]
    except (ValueError, KeyError):
        index = next(i for i, word in enumerate(words) if not _is_readable(read, word))
    found = text_of(words[index][:40])
    raise BadAtomLineError(
        index, f"has {found!r} in column {column.name!r}; {_EXPECTED[column.kind]} expected"
    )


def _is_readable(read: Callable[[bytes], Any], word: bytes) -> bool:
    try:
        read(word)
    except (ValueError, KeyError):
        return False
    return True


def _real(word: bytes) -> float:
    try:
        return float(word) if b"_" not in word else _refuse(word)
    except ValueError:
        return float(word.lower().replace(b"d", b"e", 1)) if b"_" not in word else _refuse(word)


def _integer(word: bytes) -> int:
    if not _INTEGER.fullmatch(word) or len(word) > 20:
        _refuse(word)
    value = int(word)
    return value if -(2**63) <= value < 2**63 else _refuse(word)


def _refuse(word: bytes) -> Any:
    raise ValueError(word)


_READERS: dict[str, Callable[[bytes], Any]] = {
    "R": _real,
    "I": _integer,
    "S": text_of,
    "L": _TRUTHS.__getitem__,
}
