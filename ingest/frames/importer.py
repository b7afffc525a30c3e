"""What every reader of structures offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from ingest.frames.frames import FrameBatch, Reject


class Block(Protocol):
    """Whole frames of a source, as they lie there. Blocks can be pickled.

    The `length` bytes at `offset` of the decompressed stream are the block's text; ``data`` holds
    them, or is None where whoever reads the block fetches them first. ``n_frames`` counts all its
    frames, None where only reading tells; ``rejects`` are those refused while cutting.
    """

    @property
    def offset(self) -> int:
        """First byte of the block in the stream."""
        ...

    @property
    def length(self) -> int:
        """Bytes of text."""
        ...

    @property
    def data(self) -> bytes | None:
        """The text."""
        ...

    @property
    def n_frames(self) -> int | None:
        """Frames in the block, the rejected ones included."""
        ...

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Frames refused while cutting."""
        ...

    def without_data(self) -> Block:
        """The block as it travels to a reader that fetches the text."""
        ...

    def with_data(self, data: bytes) -> Block:
        """The block with its text."""
        ...

    def excerpt(self, frame: int, line: int) -> str:
        """How a frame of the block begins, by its index and line in the source; needs the text."""
        ...


class BlockCutter(Protocol):
    """Cuts files of one format into blocks, which is cheap."""

    def blocks(self, stream: BinaryIO, name: str) -> Iterator[Any]:
        """Cut a decompressed stream into blocks of whole frames; `name` is the file's own name."""
        ...


class Importer(BlockCutter, Protocol):
    """Reads one format in two steps: cutting, which is cheap, and reading, which runs in parallel.

    Every frame a block holds comes back from `read` exactly once, in a batch or as a reject.
    """

    @property
    def format(self) -> str:
        """Name of the format, as it is kept with every source."""
        ...

    @property
    def parses_in_threads(self) -> bool:
        """Whether threads help: most of the reading is done in libraries that let others run."""
        ...

    def read(self, block: Any) -> tuple[list[FrameBatch], list[Reject]]:
        """Read the frames of a block, each batch holding those with the same per-atom arrays."""
        ...
