"""Cutting a stream of extended XYZ into blocks of whole frames, without reading the atoms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ingest.extxyz.cutter import Cutter
from ingest.frames.frames import EXCERPT_LENGTH, Reject

# Blocks of this size are parsed within memory that malloc has at hand; larger ones pay for fresh
# pages, which costs more than the parsing.
BLOCK_BYTES = 4 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, eq=False)
class Block:
    """Whole frames that lie one after the other in a stream.

    Attributes
    ----------
    first_frame, first_line
        Index of the first frame of the block, from 0, and the line it begins at, from 1.
    n_frames
        Frames in the block, the rejected ones included.
    offset, length
        Where the block lies in the decompressed stream. byte.
    data
        The text (it may run on past `length`), or None where the reader fetches it itself.
    start, comment, body, end
        Where each good frame, its comment line and its atom lines begin, and where it ends,
        counted from `offset`. Shape (k,), byte.
    n_atoms, frame, line
        Atoms, index and first line of each good frame. Shape (k,).
    rejects
        Frames that are none, found by their count alone.
    """

    first_frame: int
    first_line: int
    n_frames: int
    offset: int
    length: int
    data: bytes | None
    start: NDArray[np.int64]
    comment: NDArray[np.int64]
    body: NDArray[np.int64]
    end: NDArray[np.int64]
    n_atoms: NDArray[np.int64]
    frame: NDArray[np.int64]
    line: NDArray[np.int64]
    rejects: tuple[Reject, ...]

    def without_data(self) -> Block:
        """The block as a few numbers, for a reader that fetches the text by its offset."""
        return replace(self, data=None)

    def reject(self, index: int, reason: str, line: int | None = None) -> Reject:
        """The good frame number `index` of the block, refused after all; needs the data."""
        frame = int(self.frame[index])
        where = int(self.line[index]) if line is None else line
        return Reject(frame, where, reason, self.excerpt(frame, where))

    def excerpt(self, frame: int, line: int) -> str:
        """How a good frame of the block begins, by its index in the stream; needs the data."""
        del line
        index = int(np.searchsorted(self.frame, frame))
        start, end = int(self.start[index]), int(self.end[index])
        text = (self.data or b"")[start : min(end, start + EXCERPT_LENGTH)]
        return text.decode("utf-8", "replace")

    def with_data(self, data: bytes) -> Block:
        """The block with its text: the `length` bytes at `offset`."""
        return replace(self, data=data)


def scan_blocks(stream: BinaryIO, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut a stream into blocks of about `block_bytes`.

    Every line that is not blank belongs to exactly one frame, good or rejected. Only a frame larger
    than a block makes the buffer grow, and only up to its own size.
    """
    cutter = Cutter()
    data = stream.read(max(block_bytes, len(_BOM)))
    offset = len(_BOM) if data.startswith(_BOM) else 0
    data = data[offset:]
    while True:
        # Reading as much again as is left over keeps the copying linear in the size of a frame;
        # reading it before the cut tells whether the last frame is complete.
        ahead = stream.read(max(block_bytes, len(data)))
        first_frame, first_line = cutter.frame, cutter.line
        cut = cutter.cut(data, is_last=not ahead)
        if cut.frames or cut.rejects:
            columns = np.array(cut.frames, dtype=np.int64).reshape(-1, 7).T.copy()
            yield Block(
                first_frame,
                first_line,
                cutter.frame - first_frame,
                offset,
                cut.consumed,
                data,
                columns[0],
                columns[1],
                columns[2],
                columns[3],
                columns[4],
                columns[5],
                columns[6],
                tuple(cut.rejects),
            )
        if not ahead:
            return
        offset += cut.consumed
        data = data[cut.consumed :] + ahead
