"""Items of a record: a key, nested or not, and its value as JSON.

HistoryItem, ConfigItem and SummaryItem of `wandb_internal.proto` are the same message but for the
typed values of the first.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from ingest.runs.logged_values import json_text
from ingest.runs.wandb_file.wire_format import BYTES, FIXED64, VARINT, fields, signed, unzigzagged

_KEY = 1 << 3 | BYTES
_NESTED_KEY = 2 << 3 | BYTES
_NONE, _BOOLEAN, _INTEGER = 3 << 3 | VARINT, 4 << 3 | VARINT, 5 << 3 | VARINT
_NUMBER, _TEXT, _JSON = 6 << 3 | FIXED64, 7 << 3 | BYTES, 8 << 3 | BYTES
_VALUE_JSON = 16 << 3 | BYTES

Path = tuple[str, ...]


def read_item(message: bytes) -> tuple[Path, bytes]:
    """The key of an item and its value as JSON.

    Raises
    ------
    ValueError
        It is no item, or has fields that are not known.
    """
    path, value = _parts(message)
    if not path:
        raise ValueError("an item has no key")
    if value is None:
        raise ValueError(f"the item {'.'.join(path)} has no value")
    return path, value


def read_head(head: bytes) -> Path:
    """The key in the bytes of an item that stand before its value.

    Raises
    ------
    ValueError
        They are not a key alone.
    """
    path, value = _parts(head)
    if not path or value is not None:
        raise ValueError("an item has no key")
    return path


def _parts(data: bytes) -> tuple[Path, bytes | None]:
    key: str | None = None
    nested: list[str] = []
    value: bytes | None = None
    for tag, number, first, last in fields(data, 0, len(data)):
        if tag == _KEY:
            key = data[first:last].decode()
        elif tag == _NESTED_KEY:
            nested.append(data[first:last].decode())
        elif (typed := _value(tag, data, first, last)) is not None:
            if value is not None:
                raise ValueError("an item has two values")
            value = typed
        else:
            raise ValueError(f"an item has the unknown field {number}")
    if key and nested:
        raise ValueError("an item has a key and a nested key")
    return (tuple(nested) if nested else (key,) if key else ()), value


def _value(tag: int, data: bytes, first: int, last: int) -> bytes | None:
    """The value in a field, as JSON; None where the field holds none."""
    match tag:
        case _ if tag in (_VALUE_JSON, _JSON):
            return data[first:last]
        case _ if tag == _NONE:
            return b"null"
        case _ if tag == _BOOLEAN:
            return b"true" if first else b"false"
        case _ if tag == _INTEGER:
            return str(unzigzagged(first)).encode()
        case _ if tag == _NUMBER:
            return json.dumps(struct.unpack("<d", data[first:last])[0]).encode()
        case _ if tag == _TEXT:
            return json_text(data[first:last].decode()).encode()
        case _:
            return None


def read_step(message: bytes) -> int:
    """The number in a HistoryStep; 0 where it stands for itself by not being there.

    Raises
    ------
    ValueError
        It is no step, or has fields that are not known.
    """
    step = 0
    for tag, number, value, _ in fields(message, 0, len(message)):
        if tag != 1 << 3 | VARINT:
            raise ValueError(f"a step has the unknown field {number}")
        step = signed(value)
    return step


def message_fields(
    message: bytes, known: frozenset[int], what: str
) -> Iterator[tuple[int, int, int, int]]:
    """`fields` of a message all of whose fields must be known.

    Raises
    ------
    ValueError
        One is not.
    """
    for tag, number, first, last in fields(message, 0, len(message)):
        if number not in known:
            raise ValueError(f"{what} has the unknown field {number}")
        yield tag, number, first, last
