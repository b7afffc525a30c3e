"""What the text of a value in an extended XYZ comment means: number, truth, list, JSON or text."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?")
_NON_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_PARTS = re.compile(r"[^\s,]+")
_JSON_PREFIX = "_JSON"
_TRUTHS = {
    "T": True,
    "F": False,
    "true": True,
    "false": False,
    "True": True,
    "False": False,
    "TRUE": True,
    "FALSE": False,
}
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_NOT_A_VALUE = object()


def number(text: str) -> int | float | None:
    """The number a word stands for, or None.

    An integer with leading zeros, or one that does not fit 64 bits, is a name and not a number:
    as a number it would not come back as it was.
    """
    if _INTEGER.fullmatch(text):
        value = int(text) if len(text) < 21 else _INT64_MAX + 1
        return value if _INT64_MIN <= value <= _INT64_MAX else None
    if _REAL.fullmatch(text):
        if text.lstrip("+-").isdigit():
            return None
        return float(text.translate(_FORTRAN_EXPONENT))
    return float(text) if _NON_FINITE.fullmatch(text) else None


_FORTRAN_EXPONENT = str.maketrans("dD", "ee")


def value(text: str) -> Any:
    """The value a text stands for.

    ``12`` is an int, ``1.5``, ``1D3`` and ``nan`` are floats, ``T`` a bool; two or more words of
    one of these kinds are a list; ``_JSON …`` is what the JSON says; everything else is text.
    """
    found = number(text)
    if found is not None:
        return found
    if text in _TRUTHS:
        return _TRUTHS[text]
    if text.startswith(_JSON_PREFIX):
        return json_value(text)
    if " " in text or "," in text or "\t" in text:
        words = _PARTS.findall(text)
        listed = one_kind([_word(word) for word in words])
        if listed is not None:
            return listed[0] if len(listed) == 1 else listed
    return text


def json_value(text: str) -> Any:
    """The value of ``_JSON …``; the text itself when that is not JSON, or none the lake can hold.

    Line breaks inside strings are let through: ASE writes their backslash unescaped.
    """
    try:
        decoded = json.loads(text.removeprefix(_JSON_PREFIX), strict=False, parse_int=_json_integer)
        orjson.dumps(decoded)
    except (ValueError, TypeError, RecursionError):
        return text
    return decoded


def nested(text: str) -> Any:
    """The value of a bracketed list such as ``[[1, 2], [3, 4]]``; the text when it is none."""
    try:
        decoded = json.loads(_quoted_words(text), parse_int=_json_integer)
    except (ValueError, RecursionError):
        return text
    return _typed_leaves(decoded)


def one_kind(values: list[Any]) -> list[Any] | None:
    """`values` when they are all numbers or all truths (an int among floats is a float)."""
    kinds = {type(v) for v in values}
    if not values or not (kinds <= {int, float} or kinds == {bool}):
        return None
    return [float(v) for v in values] if kinds == {int, float} else values


def _word(text: str) -> Any:
    found = number(text)
    return found if found is not None else _TRUTHS.get(text, _NOT_A_VALUE)


def _json_integer(text: str) -> int | str:
    found = int(text) if len(text) < 21 else _INT64_MAX + 1
    return found if _INT64_MIN <= found <= _INT64_MAX else text


_LIST_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\],]|[^\s\[\],"]+|\s+', re.DOTALL)


def _quoted_words(text: str) -> str:
    """A bracketed list as JSON: every word quoted, so that each is typed like any other."""
    parts = []
    for token in _LIST_TOKEN.findall(text):
        is_word = token[0] not in '[],"' and not token.isspace()
        parts.append(json.dumps(token) if is_word else token)
    return "".join(parts)


def _typed_leaves(decoded: Any) -> Any:
    if not isinstance(decoded, list):
        return decoded
    if decoded and all(isinstance(item, str) for item in decoded):
        return one_kind([_word(item) for item in decoded]) or decoded
    return [_typed_leaves(item) for item in decoded]
