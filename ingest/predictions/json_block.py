"""Cutting a JSON list into its items, without reading them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ingest.frames.frames import EXCERPT_LENGTH, Reject

BLOCK_BYTES = 4 << 20
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_EXPECTED = (
    'Expected a JSON list of frames: [{"formula": …, "n_atoms": …, "reference": {…}, '
    '"prediction": {…}}, …]'
)
_QUOTE, _COMMA = b'",'
_STEP = np.zeros(256, dtype=np.int8)
_STEP[list(b"[{")], _STEP[list(b"]}")] = 1, -1
_IS_MARK = _STEP != 0
_IS_MARK[[_QUOTE, _COMMA]] = True


@dataclass(frozen=True, eq=False)
class JsonBlock:
    """Items of a JSON list; see `ingest.frames.importer.Block`.

    Attributes
    ----------
    first_frame
        Index of the first item in the list, from 0.
    start, end
        Where each item lies, counted from `offset`. Shape (k,), byte.
    line
        The line each begins at, from 1. Shape (k,).
    """

    first_frame: int
    offset: int
    length: int
    data: bytes | None
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    line: NDArray[np.int64]
    rejects: tuple[Reject, ...] = ()

    @property
    def n_frames(self) -> int:
        """Items in the block, the rejected ones included."""
        return len(self.start) + len(self.rejects)

    def without_data(self) -> JsonBlock:
        """The block without its text."""
        return replace(self, data=None)

    def with_data(self, data: bytes) -> JsonBlock:
        """The block with its text."""
        return replace(self, data=data)

    def item(self, index: int) -> bytes:
        """The text of an item, by its number in the block; needs the text."""
        return (self.data or b"")[int(self.start[index]) : int(self.end[index])]

    def excerpt(self, frame: int, line: int) -> str:
        """How an item begins, by its index in the list; needs the text."""
        del line
        return self.item(frame - self.first_frame)[:EXCERPT_LENGTH].decode("utf-8", "replace")


def json_blocks(stream: BinaryIO, block_bytes: int = BLOCK_BYTES) -> Iterator[JsonBlock]:
    """Cut a stream that holds a JSON list into blocks of about `block_bytes`.

    Only an item larger than a block makes the buffer grow. A list that breaks off gives its whole
    items and a reject; what is no list gives a reject of the file.
    """
    yield from _ListCutter(stream, block_bytes).blocks()


@dataclass
class _ListCutter:
    stream: BinaryIO
    block_bytes: int
    data: bytes = b""
    offset: int = 0
    frame: int = 0
    line: int = 1

    def blocks(self) -> Iterator[JsonBlock]:
        """All blocks of the stream."""
        self.data = self.stream.read(self.block_bytes)
        if self.data.startswith(_BOM):
            self._pass(len(_BOM))
        self._pass_space()
        if not self.data:
            return
        if not self.data.startswith(b"["):
            begins = self.data[:20].decode("utf-8", "replace")
            yield self._refuse(-1, f"the file begins with {begins!r}. {_EXPECTED}")
            return
        self._pass(1)
        while True:
            block, is_open = self._block()
            if block is not None:
                yield block
            if not is_open:
                break
            ahead = self.stream.read(max(self.block_bytes, len(self.data)))
            if not ahead:
                yield self._broken_off()
                return
            self.data += ahead
        yield from self._after_the_list()

    def _block(self) -> tuple[JsonBlock | None, bool]:
        """The whole items in the buffer, which is left with the rest; whether the list goes on."""
        ends, is_comma = _ends(self.data)
        if not len(ends):
            return None, True
        is_open = bool(is_comma[-1])
        start = np.concatenate(([0], ends[:-1] + 1))
        breaks = np.flatnonzero(np.frombuffer(self.data, np.uint8) == ord("\n"))
        begin = np.array([self._skip_space(s) for s in start.tolist()], dtype=np.int64)
        if not is_open and len(ends) == 1 and not self.frame and begin[0] == ends[0]:
            self._pass(int(ends[0]) + 1)
            return None, False  # the empty list
        block = JsonBlock(
            self.frame,
            self.offset,
            int(ends[-1]),
            self.data,
            begin,
            ends,
            self.line + np.searchsorted(breaks, begin),
        )
        self.frame += len(ends)
        self._pass(int(ends[-1]) + 1)
        return block, is_open

    def _after_the_list(self) -> Iterator[JsonBlock]:
        rest = self.data + self.stream.read(self.block_bytes)
        text = rest.strip(_SPACE)
        if text:
            begins = text[:20].decode("utf-8", "replace")
            yield self._refuse(-1, f"after the list comes {begins!r}. {_EXPECTED}, and no more")
        elif not self.frame:
            yield self._refuse(-1, f"the list is empty. {_EXPECTED}")

    def _broken_off(self) -> JsonBlock:
        self._pass_space()
        reason = (
            "the file ends within this frame, or before the list is closed. What came before was "
            "read. Copy the file again"
        )
        return self._refuse(self.frame, reason)

    def _refuse(self, frame: int, reason: str) -> JsonBlock:
        excerpt = self.data[:EXCERPT_LENGTH].decode("utf-8", "replace")
        none = np.empty(0, np.int64)
        reject = Reject(frame, self.line, reason, excerpt)
        return JsonBlock(max(frame, 0), self.offset, 0, b"", none, none, none, (reject,))

    def _pass_space(self) -> None:
        """Go on to what is no white space."""
        while True:
            self._pass(self._skip_space(0))
            if self.data:
                return
            self.data = self.stream.read(self.block_bytes)
            if not self.data:
                return

    def _skip_space(self, start: int) -> int:
        while self.data[start : start + 1] and self.data[start] in _SPACE:
            start += 1
        return start

    def _pass(self, n_bytes: int) -> None:
        self.line += self.data.count(b"\n", 0, n_bytes)
        self.data = self.data[n_bytes:]
        self.offset += n_bytes


def _ends(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where the items of a list end, and whether by a comma; the last may be the list's own end.

    `data` begins with an item.
    """
    if b"\\" in data:  # an escaped quotation mark ends no text
        data = _ESCAPED.sub(b"__", data)
    values = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(_IS_MARK[values])
    marks = values[at]
    is_quote = marks == _QUOTE
    is_outside = (np.cumsum(is_quote) % 2 == 0) & ~is_quote
    at, marks = at[is_outside], marks[is_outside]
    depth = np.cumsum(_STEP[marks], dtype=np.int64)
    closes = np.flatnonzero(depth < 0)
    stop = int(closes[0]) + 1 if len(closes) else len(at)
    at, marks, depth = at[:stop], marks[:stop], depth[:stop]
    ends = ((marks == _COMMA) & (depth == 0)) | (depth < 0)
    return at[ends], marks[ends] == _COMMA
