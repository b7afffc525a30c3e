"""A whole file as one block, for formats that are not cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import BinaryIO

from ingest.frames.frames import EXCERPT_LENGTH, Reject


@dataclass(frozen=True, eq=False)
class FileBlock:
    """A whole file; see `ingest.frames.importer.Block`. ``name`` is its base name."""

    name: str
    length: int
    data: bytes | None
    offset: int = 0
    n_frames: int | None = None
    rejects: tuple[Reject, ...] = ()

    def without_data(self) -> FileBlock:
        """The block without its bytes."""
        return replace(self, data=None)

    def with_data(self, data: bytes) -> FileBlock:
        """The block with its bytes."""
        return replace(self, data=data)

    def excerpt(self, frame: int, line: int) -> str:
        """The text from `line` on, or that of the file where the format has no lines (0)."""
        del frame
        text = (self.data or b"").split(b"\n", max(line - 1, 0))[-1]
        return text[:EXCERPT_LENGTH].decode("utf-8", "replace")


def whole_file(stream: BinaryIO, name: str) -> Iterator[FileBlock]:
    """The file as one block, unless it is empty."""
    data = b"".join(iter(lambda: stream.read(1 << 24), b""))
    if data:
        yield FileBlock(PurePath(name).name, len(data), data)
