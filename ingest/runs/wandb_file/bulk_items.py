"""The items of many messages at once: one step of numpy for the i-th item of every message.

Nearly all records of a `.wandb` file are a history row or a summary and nothing else, and nearly
all items are a key, nested or not, and value_json. These are read here, hundreds of thousands a
second; what looks otherwise in the least is left to `ingest.runs.wandb_file.records`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_NUM, HISTORY, SUMMARY = 0x08, 0x12, 0x1A  # tags of the fields of a Record
_ITEM, _STEP = 0x0A, 0x12  # of a HistoryRecord or SummaryRecord
_KEY, _NESTED_KEY, _VALUE = 0x0A, 0x12, (0x82, 0x01)  # of an item
_PADDING = 32  # bytes past the end that may be looked at, and count as nothing
_MOST_NESTED = 8


class Messages(NamedTuple):
    """Records that are one history row or summary: index of the record, and where it lies."""

    record: Integers
    tag: Integers
    start: Integers
    end: Integers


class BulkItems(NamedTuple):
    """Items in the order of messages.

    ``message`` is the index of each item's message in `Messages`; ``head`` what stands before the
    value, ``value`` its JSON. ``step`` of each message is 0 where none is written, and
    ``is_regular`` says whether all of the message was understood.
    """

    message: Integers
    head: pa.DictionaryArray
    value: pa.LargeBinaryArray
    step: Integers
    is_regular: NDArray[np.bool_]


def padded(data: bytes) -> Bytes:
    """The bytes as an array, with room to look past the end."""
    return np.frombuffer(data + bytes(_PADDING), np.uint8)


def find_messages(buffer: Bytes, start: Integers, end: Integers) -> Messages:
    """Those of the records between `start` and `end` that are one history row or summary."""
    has_number = buffer[start] == _NUM
    _, position, is_fine = _varints(buffer, start + 1, end)
    tag = buffer[np.minimum(position, end)].astype(np.int64)
    is_one = has_number & is_fine & (position < end) & ((tag == HISTORY) | (tag == SUMMARY))
    size, first, is_sized = _varints(buffer, position + 1, end)
    is_one &= is_sized & (first + size == end)
    record = np.flatnonzero(is_one)
    return Messages(record, tag[record], first[record], end[record])


def read_items(buffer: Bytes, messages: Messages) -> BulkItems:
    """All items of the messages. Irregular ones have none."""
    n = len(messages.record)
    step = np.zeros(n, np.int64)
    has_step = messages.tag == SUMMARY  # which has none
    is_regular = np.ones(n, np.bool_)
    found: list[tuple[Integers, ...]] = []
    active, position = np.arange(n), messages.start
    while len(active):
        end = messages.end[active]
        is_item = (buffer[position] == _ITEM) & (position < end)
        rest = ~is_item
        _read_steps(buffer, messages, active[rest], position[rest], step, has_step, is_regular)
        active, position, end = active[is_item], position[is_item], end[is_item]
        size, start, is_fine = _varints(buffer, position + 1, end)
        stop = start + size
        is_fine &= stop <= end
        stop = np.minimum(stop, end)
        cut = _after_keys(buffer, start, stop)
        is_fine &= (cut > start) & (buffer[cut] == _VALUE[0]) & (buffer[cut + 1] == _VALUE[1])
        size, value, is_sized = _varints(buffer, cut + 2, stop)
        is_fine &= is_sized & (value + size == stop)
        is_regular[active[~is_fine]] = False
        active, position = active[is_fine], stop[is_fine]
        found.append((active, start[is_fine], cut[is_fine], value[is_fine], position))
    is_regular &= has_step
    return _items(buffer, messages, found, step, is_regular)


def _varints(
    buffer: Bytes, position: Integers, end: Integers
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """A number at each position, the position after it, and whether it ends before `end`.

    Numbers of more than four bytes, which no length has, do not.
    """
    value = np.zeros(len(position), np.int64)
    after = np.zeros(len(position), np.int64)
    is_open = np.ones(len(position), np.bool_)
    for i in range(4):
        byte = buffer[np.minimum(position + i, len(buffer) - 1)].astype(np.int64)
        value += np.where(is_open, (byte & 0x7F) << (7 * i), 0)
        closes = is_open & (byte < 0x80)
        after[closes] = position[closes] + i + 1
        is_open &= ~closes
        if not is_open.any():
            break
    is_fine = ~is_open & (after <= end)
    return value, np.where(is_fine, after, end), is_fine


def _after_keys(buffer: Bytes, start: Integers, stop: Integers) -> Integers:
    """Where the keys an item begins with end; at most `stop`."""
    cut = start.copy()
    for _ in range(_MOST_NESTED):
        tag, size = buffer[cut], buffer[cut + 1].astype(np.int64)
        is_key = ((tag == _KEY) | (tag == _NESTED_KEY)) & (size < 0x80) & (cut + 2 + size <= stop)
        if not is_key.any():
            break
        cut = np.where(is_key, cut + 2 + size, cut)
    return cut


def _read_steps(
    buffer: Bytes,
    messages: Messages,
    active: Integers,
    position: Integers,
    step: Integers,
    has_step: NDArray[np.bool_],
    is_regular: NDArray[np.bool_],
) -> None:
    """Read the HistoryStep at the end of history rows; whatever else is there is irregular."""
    end = messages.end[active]
    is_over = position == end
    is_step = ~is_over & (buffer[position] == _STEP) & (messages.tag[active] == HISTORY)
    size, inner, is_fine = _varints(buffer, position + 1, end)
    is_step &= is_fine & (inner + size == end)
    is_regular[active[~is_over & ~is_step]] = False
    has_step[active[is_step & (size == 0)]] = True
    number, after, is_fine = _varints(buffer, inner + 1, end)
    has_number = is_step & (size > 0) & (buffer[inner] == _NUM) & is_fine & (after == end)
    has_step[active[has_number]] = True
    step[active[has_number]] = number[has_number]


def _items(
    buffer: Bytes,
    messages: Messages,
    found: list[tuple[Integers, ...]],
    step: Integers,
    is_regular: NDArray[np.bool_],
) -> BulkItems:
    """The items in order. ``found[j]`` has message, head, value and end of every j-th item."""
    n_items = np.zeros(len(messages.record), np.int64)
    for message, *_ in found:
        n_items[message] += 1
    n_items[~is_regular] = 0
    # Items do not overlap, so their parts and the gaps between, in the order in which they lie
    # in the buffer, are one ascending row of offsets.
    as_they_lie = np.argsort(messages.start, kind="stable")
    first = np.empty_like(n_items)
    first[as_they_lie] = np.cumsum(n_items[as_they_lie]) - n_items[as_they_lie]
    offsets = np.empty((int(n_items.sum()), 4), np.int64)
    for number, (message, *places) in enumerate(found):
        keep = is_regular[message]
        offsets[first[message[keep]] + number] = np.stack(places, axis=1)[keep]
    message_of = np.repeat(as_they_lie, n_items[as_they_lie])
    order = np.argsort(message_of, kind="stable")
    parts = _binaries(buffer, offsets.ravel())
    return BulkItems(
        message_of[order],
        parts.take(pa.array(4 * order)).dictionary_encode(),
        parts.take(pa.array(4 * order + 2)),
        step,
        is_regular,
    )


def _binaries(buffer: Bytes, offsets: Integers) -> pa.LargeBinaryArray:
    """The bytes between each two offsets."""
    if not len(offsets):
        return pa.array([], pa.large_binary())
    places = [None, pa.py_buffer(offsets), pa.py_buffer(buffer)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, places)
