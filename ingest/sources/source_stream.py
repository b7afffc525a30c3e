"""One source while it is read: its checksum, its text, and what was wrong with it as a file."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping
from lzma import LZMAError
from typing import BinaryIO, cast

from ingest.frames.frames import Reject
from ingest.sources.inputs import Input, compression_of, decompressed, open_raw
from lake.errors import StorageError

_CHUNK_BYTES = 256 << 10
_STEP_BYTES = 64 << 10
_LFS_POINTER = b"version https://git-lfs"
# What decompressors raise on damaged input; pyarrow's zstd raises OSError.
_DAMAGED = (EOFError, zlib.error, LZMAError, OSError)


class SourceStream(io.RawIOBase):
    """Decompressed text of a source; counts and checksums the bytes that lie there.

    A damaged file ends where the damage begins, and ``fault`` says what was wrong. A storage that
    stops answering is no damage: StorageError.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._counted = _CountedStream(raw)
        counted = cast(BinaryIO, self._counted)
        head = self._counted.peek()
        self.fault: str | None = None
        self.compression = compression_of(head)
        self._text = counted
        if self.compression is not None:
            self._text = decompressed(counted, self.compression)
            self._step = getattr(self._text, "read1", self._text.read)
        elif head.startswith(_LFS_POINTER):
            self.fault = (
                "is a Git LFS pointer, not the data. Expected the file itself. "
                "Fetch it with 'git lfs pull'."
            )
        elif not head:
            self.fault = "is empty. Expected at least one frame or record. Leave it out."

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes of text; empty at the end, and where the file is damaged."""
        if self.compression is None:
            return b"" if self.fault else self._text.read(size)
        parts: list[bytes] = []
        left = size
        # In small steps, because a decompressor that fails keeps what it had made of the step.
        while self.fault is None and left != 0:
            try:
                part = self._step(min(left, _STEP_BYTES) if left > 0 else _STEP_BYTES)
            except _DAMAGED as error:
                if self._counted.failure is not None:
                    raise self._counted.failure from None
                self.fault = (
                    f"is damaged after {self._counted.size} bytes of {self.compression} ({error}). "
                    "What came before was read. Copy the file again."
                )
                break
            if not part:
                break
            parts.append(part)
            left -= len(part) if left > 0 else 0
        return b"".join(parts)

    def finish(self) -> tuple[str, int]:
        """Read what is left; sha256 in hex and size in bytes of the file as it lies there."""
        self._counted.drain()
        return self._counted.sha256, self._counted.size

    def file_reject(self) -> Reject | None:
        """What was wrong with the file as a whole."""
        return None if self.fault is None else Reject(-1, 0, f"the file {self.fault}")


class _CountedStream(io.RawIOBase):
    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._hash = hashlib.sha256()
        self._ahead = b""
        self.size = 0
        self.failure: StorageError | None = None

    def peek(self) -> bytes:
        """The first bytes, which the next read gives again."""
        self._ahead = self._read_raw(64)
        return self._ahead

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._ahead and size >= 0:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            data = self._read_raw(size)
            if self._ahead:
                data, self._ahead = self._ahead + data, b""
        self._hash.update(data)
        self.size += len(data)
        return data

    def _read_raw(self, size: int) -> bytes:
        try:
            return bytes(self._raw.read(size))
        except OSError as error:
            # Kept, because a decompressor passes it on as if the data were at fault.
            self.failure = StorageError(
                f"{getattr(self._raw, 'name', 'the source')}: reading stopped after {self.size} "
                f"bytes: {error}. Nothing was committed. Run the same command again."
            )
            raise self.failure from error

    def drain(self) -> None:
        """Read what is left."""
        while self.read(_CHUNK_BYTES):
            pass

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def checksum(item: Input, options: Mapping[str, str]) -> str:
    """sha256 in hex of an input."""
    with open_raw(item, options) as raw:
        counted = _CountedStream(raw)
        counted.drain()
        return counted.sha256
