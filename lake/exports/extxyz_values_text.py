"""Keys and values as they stand in the comment line of extended XYZ, readable by ASE as well."""

from __future__ import annotations

import json
import re
from typing import Any

from lake.errors import InvalidInputError

_PLAIN_KEY = re.compile(r"[A-Za-z_][\w.+-]*")
_PLAIN_TEXT = re.compile(r"(?!_JSON)([\w./:+-]+)(?: [\w./:+-]+)*")
_FORTRAN_NUMBER = re.compile(r"[-+.0-9]+[dD][-+]?[0-9]+")
_TRUTHS = frozenset({"t", "f", "true", "false"})
_TRUTH = {True: "T", False: "F"}


def pair_text(key: str, value: Any) -> str:
    r"""One ``key=value``.

    Numbers, truths, plain text and lists of two or more numbers or truths are written in the old
    style; everything else as ``_JSON``.

    Examples
    --------
    >>> print(pair_text("a", 1.5), pair_text("b", [1, 2]), pair_text("c", "1.5"))
    a=1.5 b="1 2" c="_JSON \"1.5\""
    """
    name = key if _PLAIN_KEY.fullmatch(key) else quoted(key)
    return f"{name}={value_text(value)}"


def value_text(value: Any) -> str:
    """A value, quoted where it must be."""
    scalar = _scalar(value)
    if scalar is not None:
        return scalar
    if isinstance(value, str):
        match = _PLAIN_TEXT.fullmatch(value)
        if match and not _means_more(match[1]):
            return f'"{value}"' if " " in value else value
    if isinstance(value, list) and len(value) > 1 and len({type(item) for item in value}) == 1:
        words = [_scalar(item) for item in value]
        if None not in words:
            return f'"{" ".join(word for word in words if word)}"'
    return quoted("_JSON " + json.dumps(value))


def _means_more(word: str) -> bool:
    """Whether a reader might take a word for a number or a truth."""
    if word.lower() in _TRUTHS or _FORTRAN_NUMBER.fullmatch(word):
        return True
    try:
        float(word)
    except ValueError:
        return False
    return True


def quoted(text: str) -> str:
    """`text` between double quotes, escaped so that ASE reads it as well."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return _TRUTH[value]
    return repr(value) if isinstance(value, int | float) else None


def column_name(name: str) -> str:
    """The name of a per-atom array, which must not hold what separates columns.

    Raises
    ------
    InvalidInputError
        It does.
    """
    if not name or any(c in name for c in ':"\\') or name != " ".join(name.split()):
        raise InvalidInputError(
            f"The per-atom array {name!r} cannot stand in extended XYZ, whose Properties are "
            "separated by colons. Export to Parquet, or leave the array out."
        )
    return name
