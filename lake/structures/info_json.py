"""The info keys of a frame as canonical JSON, and back."""

from __future__ import annotations

import math
from typing import Any

import orjson

# JSON has no nan and no infinity; orjson would write null for them.
_FLOAT = "$float"
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def encode_info(info: dict[str, Any]) -> bytes:
    """`info` as JSON with sorted keys; equal infos give equal bytes.

    Raises
    ------
    TypeError
        A value is nothing JSON can hold.

    Examples
    --------
    >>> encode_info({"b": 1, "a": [float("nan")]})
    b'{"a":[{"$float":"nan"}],"b":1}'
    """
    text = orjson.dumps(info, option=orjson.OPT_SORT_KEYS)
    if b"null" in text:
        return orjson.dumps(_escaped(info), option=orjson.OPT_SORT_KEYS)
    return text


def decode_info(text: str | bytes) -> dict[str, Any]:
    """The info keys that `encode_info` made `text` of."""
    info: dict[str, Any] = orjson.loads(text)
    needle = _FLOAT if isinstance(text, str) else _FLOAT.encode()
    return _restored(info) if needle in text else info  # type: ignore[operator]


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: str(value)}
    return value


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_FLOAT} and value[_FLOAT] in _NON_FINITE:
            return _NON_FINITE[value[_FLOAT]]
        return {key: _restored(item) for key, item in value.items()}
    return [_restored(item) for item in value] if isinstance(value, list) else value
