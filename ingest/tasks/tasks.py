"""Cutting the inputs into tasks, while they are read for the first time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import xxhash

from ingest.frames.frames import Reject
from ingest.frames.importer import Block, BlockCutter
from ingest.sources.inputs import Input, open_raw
from ingest.sources.source_stream import SourceStream
from ingest.tasks.reading import Piece, Task

SMALLEST_TASK_BYTES = 8 << 20
LARGEST_TASK_BYTES = 128 << 20
# Text that travels to the worker is held here and there, once per task under way.
LARGEST_SENT_BYTES = 16 << 20
# A task also ends after so many sources: a thousand small files are not one worker's.
MOST_PIECES = 1024
TASKS_PER_WORKER = 6

Progress = Callable[[int, int | None], None]


def no_progress(done: int, total: int | None) -> None:
    """Show nothing."""


@dataclass
class Source:
    """One input on its way into the lake; the checksum and size are known when it was read."""

    index: int
    source_id: int
    item: Input
    sha256: str = ""
    size: int = 0
    reject: Reject | None = None


def sources_of(inputs: Sequence[Input], operation_id: str) -> list[Source]:
    """The inputs as sources of one operation."""
    return [
        Source(index, _source_id(operation_id, item), item) for index, item in enumerate(inputs)
    ]


def size_of(sources: Sequence[Source]) -> int | None:
    """Bytes to read; None where that is not known of each of them."""
    known = [source.item.size for source in sources if source.item.size is not None]
    return sum(known) if len(known) == len(sources) else None


def _source_id(operation_id: str, item: Input) -> int:
    unsigned = xxhash.xxh3_64_intdigest(f"{operation_id}\n{item.uri}".encode())
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned


class TaskCutter:
    """Reads sources one after the other and cuts their blocks into tasks."""

    def __init__(
        self,
        importer: BlockCutter,
        storage_options: Mapping[str, str],
        *,
        workers: int,
        progress: Progress,
    ) -> None:
        self.importer = importer
        self.storage_options = storage_options
        self.workers = workers
        self.progress = progress

    def tasks(self, sources: Sequence[Source]) -> Iterator[Task]:
        """Tasks of about equal size, numbered in the order of what they hold."""
        total = size_of(sources)
        most = self._task_bytes(total)
        pieces: list[Piece] = []
        size = sent = number = done = 0
        for source in sources:
            for piece in self._pieces(source):
                self.progress(done + piece.block.offset, total)
                length = piece.text_bytes
                sends = piece.path is None
                full = size + length > most or (sends and sent + length > LARGEST_SENT_BYTES)
                if pieces and (full or len(pieces) >= MOST_PIECES):
                    yield Task(number, tuple(pieces))
                    pieces, size, sent, number = [], 0, 0, number + 1
                pieces.append(piece)
                size += length
                sent += length if sends else 0
            done += source.size
        if pieces:
            yield Task(number, tuple(pieces))
        self.progress(done, total)

    def _task_bytes(self, total: int | None) -> int:
        if total is None:
            return LARGEST_SENT_BYTES
        even = total // (self.workers * TASKS_PER_WORKER)
        return min(max(even, SMALLEST_TASK_BYTES), LARGEST_TASK_BYTES)

    def _pieces(self, source: Source) -> Iterator[Piece]:
        with open_raw(source.item, self.storage_options) as raw:
            stream = SourceStream(raw)
            travels = source.item.is_local and stream.compression is None
            is_blank = True
            for block in self.importer.blocks(cast(BinaryIO, stream), source.item.name):
                is_blank = False
                yield self._piece(source, block, travels=travels)
            source.sha256, source.size = stream.finish()
            source.reject = stream.file_reject()
            if is_blank and source.reject is None:
                reason = "the file holds blank lines alone. Expected at least one frame."
                source.reject = Reject(-1, 0, reason)

    def _piece(self, source: Source, block: Block, *, travels: bool) -> Piece:
        piece = Piece(source.index, source.source_id, source.item.name, block)
        if not travels or block.data is None:
            return piece
        digest = xxhash.xxh3_64_intdigest(memoryview(block.data)[: block.length])
        return replace(piece, block=block.without_data(), path=source.item.uri, digest=digest)
