"""One value a training program logged: the number it is, or what it is instead."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

# wandb joins the keys of nested values so, in its tables, its charts and its exports.
SEPARATOR = "."
NUMBER = "numbers"
_NUMBER_TEXT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity")


class LoggedValue(NamedTuple):
    """A value under one key; ``other`` is its JSON where it is not plainly a number."""

    key: str
    number: float | None
    other: str | None
    kind: str


def logged_values(key: str, value: Any) -> Iterator[LoggedValue]:
    """A decoded JSON value as one or, where it is nested, more values.

    Examples
    --------
    >>> for each in logged_values("a", {"b": "1e-3", "c": {"d": True}}):
    ...     print(tuple(each))
    ('a.b', 0.001, '"1e-3"', 'numbers written as text')
    ('a.c.d', 1.0, 'true', 'true and false')
    """
    if isinstance(value, dict) and value and "_type" not in value:
        for name, inner in value.items():
            yield from logged_values(f"{key}{SEPARATOR}{name}", inner)
        return
    number, kind = _number_and_kind(value)
    is_plain = isinstance(value, float) or (isinstance(value, int) and value == number)
    other = None if is_plain and not isinstance(value, bool) else json_text(value)
    yield LoggedValue(key, number, other, kind)


def _number_and_kind(value: Any) -> tuple[float | None, str]:
    match value:
        case bool():
            return float(value), "true and false"
        case float():
            return value, NUMBER
        case int():
            return whole_number(value), NUMBER
        case str():
            number = number_in(value)
            return number, "texts" if number is None else "numbers written as text"
        case None:
            return None, "nulls"
        case list():
            return None, "lists"
        case dict() if "_type" in value:
            return None, f"media ({value['_type']})"
        case dict():
            return None, "empty objects"
        case _:
            return None, "texts"


def number_in(text: str) -> float | None:
    """The number a text reads as: digits as in JSON or Python, NaN, Infinity; None for others.

    Examples
    --------
    >>> number_in("1e-3"), number_in("-Infinity"), number_in("2_0"), number_in("1e999")
    (0.001, -inf, None, None)
    """
    if not _NUMBER_TEXT.fullmatch(text):
        return None
    number = float(text)
    # A number too large for a double is not infinity.
    return None if math.isinf(number) and not text.endswith("Infinity") else number


def whole_number(value: int) -> float | None:
    """An integer as a double; None where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return None


def json_text(value: Any) -> str:
    """A value as JSON that every reader takes: NaN and infinities as text, as wandb's server."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case dict():
            return {str(name): _finite(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case _:
            return value


def decode_json(text: str) -> Any:
    """A JSON value, NaN and infinities included; a number too large stays text.

    Raises
    ------
    ValueError
        It is not JSON.
    """
    try:
        return json.loads(text, parse_float=_parsed_float)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _parsed_float(text: str) -> float | str:
    number = number_in(text)
    return text if number is None else number
