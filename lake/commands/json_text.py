"""Values of a result as JSON."""

from __future__ import annotations

from decimal import Decimal


def json_text(value: object, *, indent: bool = True) -> str:
    """A value as JSON; NaN and infinity become null, dates ISO text.

    Examples
    --------
    >>> json_text({"mean": Decimal("1.5"), "sum": Decimal(3), "none": float("nan")}, indent=False)
    '{"mean":1.5,"sum":3,"none":null}'
    """
    import orjson

    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    if indent:
        options |= orjson.OPT_INDENT_2
    return orjson.dumps(value, default=_plain, option=options).decode()


def _plain(value: object) -> float | int | str:
    """What JSON has for a value it does not know."""
    if not isinstance(value, Decimal):
        return str(value)
    # DuckDB's sums of integers arrive as decimals without a fraction.
    is_integer = value.as_tuple().exponent == 0 and abs(value) < 2**63
    return int(value) if is_integer else float(value)
