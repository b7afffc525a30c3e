"""The per-atom columns an extended XYZ frame declares in its ``Properties``."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.extxyz.comment_tokens import CommentError

DEFAULT_PROPERTIES = "species:S:1:pos:R:3"
SPECIES_NAMES = ("species", "symbols", "element", "elements")
NUMBERS_NAMES = ("Z", "numbers", "atomic_numbers")
POSITION_NAMES = ("pos", "positions")
_KINDS = {"R": "real", "I": "integer", "S": "text", "L": "logical"}
_MOST_COLUMNS = 100_000


@dataclass(frozen=True)
class Column:
    """A per-atom array: ``kind`` is R, I, S or L, ``width`` the values per atom."""

    name: str
    kind: str
    width: int


@dataclass(frozen=True)
class Columns:
    """The columns of a frame in the order of its atom lines, and which of them mean what.

    ``elements`` holds symbols (kind S) or atomic numbers (kind I).
    """

    all: tuple[Column, ...]
    elements: Column
    positions: Column

    @property
    def n_fields(self) -> int:
        """Words in an atom line."""
        return sum(column.width for column in self.all)

    @classmethod
    def parse(cls, properties: str) -> Columns:
        """Read a text such as ``species:S:1:pos:R:3:forces:R:3``.

        Raises
        ------
        CommentError
            It is malformed, names a column twice, or lacks positions or elements.
        """
        columns = tuple(_columns(properties))
        named = {column.name: column for column in columns}
        if len(named) < len(columns):
            names = [column.name for column in columns]
            twice = next(name for name in names if names.count(name) > 1)
            raise _error(properties, f"the column {twice!r} is declared twice")
        positions = next((named[name] for name in POSITION_NAMES if name in named), None)
        if positions is None or positions.kind not in "RI" or positions.width != 3:
            raise _error(properties, "there is no column pos:R:3")
        if positions.kind == "I":  # a lattice written without decimal points
            real = Column(positions.name, "R", 3)
            columns = tuple(real if column is positions else column for column in columns)
            positions = real
        return cls(columns, _elements(properties, named), positions)


def _columns(properties: str) -> list[Column]:
    words = properties.split(":")
    if len(words) % 3:
        raise _error(properties, "name, type and number of columns do not come in threes")
    columns = []
    for name, kind, width in zip(words[::3], words[1::3], words[2::3], strict=True):
        if not name.strip():
            raise _error(properties, "a column has no name")
        if kind not in _KINDS:
            known = ", ".join(f"{letter} ({word})" for letter, word in _KINDS.items())
            raise _error(properties, f"the column {name!r} has type {kind!r}; there are {known}")
        if not (width.isascii() and width.isdigit() and 1 <= int(width[:9]) <= _MOST_COLUMNS):
            raise _error(properties, f"the column {name!r} has width {width!r}; 1 or more expected")
        columns.append(Column(name, kind, int(width)))
    return columns


def _elements(properties: str, named: dict[str, Column]) -> Column:
    for names, kind in ((SPECIES_NAMES, "S"), (NUMBERS_NAMES, "I")):
        for name in names:
            column = named.get(name)
            if column is not None and (column.kind, column.width) == (kind, 1):
                return column
    raise _error(properties, "there is neither a column species:S:1 nor Z:I:1 for the elements")


def _error(properties: str, what: str) -> CommentError:
    return CommentError(f"Properties={properties}: {what}")
