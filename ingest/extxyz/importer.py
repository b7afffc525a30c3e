"""Extended XYZ files, read in blocks of frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ingest.extxyz.comment import read_comments
from ingest.extxyz.comment_tokens import CommentError
from ingest.extxyz.group import FrameGroup
from ingest.extxyz.scan import BLOCK_BYTES, Block, scan_blocks
from ingest.frames.frames import FrameBatch, Reject


class ExtxyzImporter:
    """Reads extended XYZ, and plain XYZ as its simplest case.

    Parameters
    ----------
    block_bytes
        Size of a block; a frame larger than that makes a block of its own.
    """

    format = "extxyz"
    parses_in_threads = True

    def __init__(self, block_bytes: int = BLOCK_BYTES) -> None:
        self._block_bytes = block_bytes

    def blocks(self, stream: BinaryIO, name: str = "") -> Iterator[Block]:
        """Cut a decompressed stream into blocks of whole frames; the name tells nothing here."""
        del name
        return scan_blocks(stream, self._block_bytes)

    def read(self, block: Block) -> tuple[list[FrameBatch], list[Reject]]:
        """Read the frames of a block; what its scan refused already is not told again.

        Raises
        ------
        ValueError
            The block travelled without its data.
        """
        data = block.data
        if data is None:
            raise ValueError("the block has no data; give it some by with_data")
        places = zip(block.comment.tolist(), block.body.tolist(), strict=True)
        comments = read_comments([data[start:end] for start, end in places])
        rejects: list[Reject] = []
        groups: dict[int, FrameGroup] = {}
        for index, comment in enumerate(comments):
            if isinstance(comment, CommentError):
                rejects.append(block.reject(index, str(comment)))
                continue
            key = id(comment.columns)  # the group holds the object, so the id stays its own
            group = groups.get(key)
            if group is None:
                group = groups[key] = FrameGroup(comment.columns)
            group.indices.append(index)
            group.comments.append(comment)
        batches = []
        for group in groups.values():
            batch, refused = group.read(block)
            rejects += refused
            if len(batch):
                batches.append(batch)
        return batches, sorted(rejects, key=lambda reject: reject.frame)
