"""The frames of a `.wandb` file: which records there are, whole and with the right checksum.

Seven bytes of header, then blocks of 32 KiB, which hold chunks: crc32 of type and data, length
(u16), type (u8), data. A record is one full chunk, or a first, some middle and a last one. No
chunk begins in the last six bytes of a block.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lake.errors import InvalidInputError

Spans = NDArray[np.int64]

MAGIC = b":W&B"
_VERSION = b"\xe1\xbe\x00"
_BLOCK = 32 << 10
_CHUNK_HEADER = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass(frozen=True)
class Damage:
    """Bytes that are no record, where they begin and why."""

    offset: int
    reason: str


@dataclass
class RecordLog:
    """Finds the records of a file: where each begins in it, and where its payload lies.

    The payload of a record in one chunk lies in the file; that of one in several is joined, and
    lies in ``joined``, whose first byte counts as the first after the file. Afterwards ``damages``
    says what is broken inside, and ``torn_at`` is the offset at which the file ends within a
    record, as it does while it is written or when its writer was killed.
    """

    data: bytes
    damages: list[Damage] = field(default_factory=list)
    torn_at: int | None = None
    joined: bytearray = field(default_factory=bytearray)
    _begun_at: int = -1
    _parts: list[bytes] = field(default_factory=list)

    def spans(self) -> Spans:
        """Read all of it. Shape (n_records, 3): offset of the record, its payload from and to.

        Raises
        ------
        InvalidInputError
            It is no `.wandb` file.
        """
        check_header(self.data)
        flat = array("q")
        add = flat.append
        data, size = self.data, len(self.data)
        unpack, crc32 = _CHUNK_HEADER.unpack_from, zlib.crc32
        position = len(MAGIC + _VERSION)
        while position < size:
            left = _BLOCK - position % _BLOCK
            if left < _CHUNK_HEADER.size:
                position += left
                continue
            if position + _CHUNK_HEADER.size > size:
                self._tear(position)
                break
            checksum, length, kind = unpack(data, position)
            end = position + _CHUNK_HEADER.size + length
            if length + _CHUNK_HEADER.size <= left and end > size:
                self._tear(position)
                break
            body = data[position + 6 : end]
            if crc32(body) != checksum or not _FULL <= kind <= _LAST:
                position = self._after_damage(position, end)
                continue
            if kind == _FULL and not self._parts:
                add(position)
                add(position + 7)
                add(end)
            else:
                flat.extend(self._joined(kind, position, body))
            position = end
        if self._parts:
            self._tear(self._begun_at)
        return np.frombuffer(flat, np.int64).reshape(-1, 3) if flat else np.empty((0, 3), np.int64)

    def _tear(self, offset: int) -> None:
        self.torn_at = self._begun_at if self._parts else offset
        self._parts = []

    def _joined(self, kind: int, position: int, body: bytes) -> tuple[int, ...]:
        """Take a chunk of several; where the whole record lies, when it is complete."""
        if kind in (_FULL, _FIRST):
            self._drop_begun()
            self._begun_at, self._parts = position, [body[1:]]
        elif self._parts:
            self._parts.append(body[1:])
        elif not self.damages:
            self.damages.append(Damage(position, "a record lacks its beginning"))
        if kind not in (_FULL, _LAST) or not self._parts:
            return ()
        start = len(self.data) + len(self.joined)
        self.joined += b"".join(self._parts)
        self._parts = []
        return self._begun_at, start, len(self.data) + len(self.joined)

    def _drop_begun(self) -> None:
        if self._parts:
            self.damages.append(Damage(self._begun_at, "a record lacks its end"))
            self._parts = []

    def _after_damage(self, position: int, end: int) -> int:
        """Note a broken chunk; where to read on: at the next chunk, or else the next block."""
        self._drop_begun()
        data = self.data
        block_end = position - position % _BLOCK + _BLOCK
        if not any(data[position:block_end]):
            # Room that was never written, as file systems leave after a power cut.
            reason = "zeros instead of a record"
        else:
            reason = "the checksum of a record is wrong"
        self.damages.append(Damage(position, reason))
        return end if _is_chunk(data, end, block_end) else block_end


def check_header(data: bytes) -> None:
    """Refuse what is no `.wandb` file, or one of another version.

    Raises
    ------
    InvalidInputError
        The first seven bytes are others.
    """
    head = data[: len(MAGIC + _VERSION)]
    if head == MAGIC + _VERSION:
        return
    if head.startswith(MAGIC) and len(head) == len(MAGIC + _VERSION):
        raise InvalidInputError(
            f"the header says version {head[6]} ({head[4:].hex()}). Expected version 0, which all "
            "releases of wandb until 0.31 write. Use 'wandb sync' and read the run online."
        )
    raise InvalidInputError(
        f"the file begins with {head!r}. Expected a .wandb file, which begins with ':W&B' and its "
        "version. Copy it again."
    )


def _is_chunk(data: bytes, position: int, block_end: int) -> bool:
    if position + _CHUNK_HEADER.size > min(len(data), block_end):
        return False
    checksum, length, kind = _CHUNK_HEADER.unpack_from(data, position)
    end = position + _CHUNK_HEADER.size + length
    if not _FULL <= kind <= _LAST or end > min(len(data), block_end):
        return False
    return bool(zlib.crc32(data[position + 6 : end]) == checksum)
