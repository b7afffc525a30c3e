"""A data block of a CIF file: its values and the columns of its loops, as text."""

from __future__ import annotations

from dataclasses import dataclass


class CifError(ValueError):
    """What keeps a data block from being a structure."""


class CifSyntaxError(CifError):
    """Text that is no CIF. ``line`` counts from 1 in the file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message, line)
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, eq=False)
class CifBlock:
    """One data block. Tags are in lower case; values are as they stand, quotes included.

    Attributes
    ----------
    line
        Where the block begins, from 1.
    values
        What stands alone, by its tag.
    columns
        What stands in loops, by its tag.
    """

    name: str
    line: int
    values: dict[str, str]
    columns: dict[str, list[str]]

    def value(self, *tags: str) -> str | None:
        """Text under the first of `tags` that has any; ``?`` and ``.`` are none."""
        for tag in tags:
            column = self.column(tag)
            if column is not None and len(column) == 1 and not is_null(column[0]):
                return unquoted(column[0])
        return None

    def column(self, *tags: str) -> list[str] | None:
        """Values under the first of `tags` the block has, in a loop or alone."""
        for tag in tags:
            if tag in self.columns:
                return self.columns[tag]
            if tag in self.values:
                return [self.values[tag]]
        return None

    def has_tag(self, *prefixes: str) -> bool:
        """Whether a tag begins with one of `prefixes`."""
        return any(tag.startswith(prefixes) for tag in (*self.values, *self.columns))


def is_null(value: str) -> bool:
    """Whether a value is unknown (``?``) or does not apply (``.``)."""
    return value in ("?", ".")


def unquoted(value: str) -> str:
    """Text of a value as it stands in the file.

    Examples
    --------
    >>> unquoted("'P 1'"), unquoted("Fe2+"), unquoted(";two\\nlines\\n;")
    ('P 1', 'Fe2+', 'two\\nlines')
    """
    if value[:1] in ("'", '"'):
        return value[1:-1]
    if value[:1] == ";" and value[-2:] == "\n;":
        return value[1:-2]
    return value
