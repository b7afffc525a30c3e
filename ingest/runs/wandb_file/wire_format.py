"""Protobuf's wire format: numbered fields, each a number or bytes."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}


def varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A number of variable length, and the position after it.

    Raises
    ------
    ValueError
        It runs past the end, or past 64 bits.

    Examples
    --------
    >>> varint(bytes([0xAC, 0x02]), 0, 2)
    (300, 2)
    """
    value = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
    raise ValueError("a number runs past its end")


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, wire type, and a value.

    The value of a VARINT is (the number, 0); that of anything else where it begins and ends.

    Raises
    ------
    ValueError
        The bytes are no message.
    """
    position = start
    while position < end:
        tag, position = varint(data, position, end)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("a field has the number 0")
        if kind == VARINT:
            value, position = varint(data, position, end)
            yield number << 3 | kind, number, value, 0
            continue
        if kind == BYTES:
            size, position = varint(data, position, end)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise ValueError(f"a field has the wire type {kind}")
        if position + size > end:
            raise ValueError("a field runs past its end")
        yield number << 3 | kind, number, position, position + size
        position += size


def signed(value: int) -> int:
    """A VARINT as the signed 64-bit integer it stands for."""
    return value - (1 << 64) if value >> 63 else value


def unzigzagged(value: int) -> int:
    """A VARINT of the type sint64 as the integer it stands for."""
    return (value >> 1) ^ -(value & 1)
