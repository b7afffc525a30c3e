"""A statement in a file, and what its header says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lake.views.view_header import ViewHeader, read_header

_PARAMETER = re.compile(r"-- {3}(\w+) +(\S+) +(\S.*)")
_PARAMETERS, _COLUMNS = "-- params:", "-- columns:"


@dataclass(frozen=True)
class Parameter:
    """A ``$name`` in a statement, its type in DuckDB, and what it means."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True)
class Statement:
    """One SELECT, with what its header says of its parameters and columns."""

    name: str
    text: str
    header: ViewHeader
    parameters: tuple[Parameter, ...]


@cache
def read_statement(folder: str, name: str) -> Statement:
    """The statement in ``queries/<folder>/<name>.sql``.

    Raises
    ------
    ValueError
        Its header is not written as it should be: description, grain, parameters, columns.
    """
    text = files("queries").joinpath(folder, f"{name}.sql").read_text("utf-8")
    return Statement(name, text, read_header(_body(text)), tuple(_parameters(name, text)))


def _body(text: str) -> str:
    """A statement that begins with WITH, cut off where its SELECT would begin."""
    return text.replace("\nWITH ", "\nSELECT ", 1) if "\nWITH " in text else text


def _parameters(name: str, text: str) -> Iterator[Parameter]:
    lines = text.splitlines()
    if _PARAMETERS not in lines:
        return
    for line in lines[lines.index(_PARAMETERS) + 1 : lines.index(_COLUMNS)]:
        match = _PARAMETER.fullmatch(line)
        if match is None:
            raise ValueError(f"{name}.sql: {line!r} describes no parameter")
        yield Parameter(*match.groups())
