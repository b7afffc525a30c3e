"""Packing small files of one partition together until no two small ones are left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lake.log.data_files import DataFile
from lake.reader import Reader
from lake.upkeep.sorting import write_sorted
from schemas import Table

SMALL_BYTES = 32 * 2**20
BIN_BYTES = 128 * 2**20


@dataclass(frozen=True)
class Piece:
    """A file, and the files of the table whose rows it holds."""

    file: DataFile
    origins: tuple[DataFile, ...]


class Merger:
    """Merges files. What it merged once it does not merge again, as when a commit is tried anew."""

    def __init__(self) -> None:
        self._merged: dict[tuple[str, ...], DataFile] = {}

    @property
    def files(self) -> list[tuple[str, DataFile]]:
        """Table and file of everything written so far."""
        return [(name, file) for (name, *_), file in self._merged.items()]

    def settle(
        self,
        reader: Reader,
        table: Table,
        partition: Mapping[str, str],
        small: Sequence[DataFile],
    ) -> list[Piece]:
        """Merge small files of one partition, and what came out small too; the merged files."""
        pieces = [Piece(file, (file,)) for file in sorted(small, key=lambda file: file.path)]
        settled: list[Piece] = []
        while len(pieces) > 1:
            merged = [self._merge(reader, table, partition, each) for each in _pack(pieces)]
            settled += [piece for piece in merged if piece.file.size >= SMALL_BYTES]
            pieces = [piece for piece in merged if piece.file.size < SMALL_BYTES]
        return [piece for piece in (*settled, *pieces) if len(piece.origins) > 1]

    def _merge(
        self, reader: Reader, table: Table, partition: Mapping[str, str], pieces: Sequence[Piece]
    ) -> Piece:
        if len(pieces) == 1:
            return pieces[0]
        files = [piece.file for piece in pieces]
        key = (table.name, *(file.path for file in files))
        if key not in self._merged:
            name = f"optimized-{uuid.uuid4().hex}"
            self._merged[key] = write_sorted(reader, table, partition, name, files)
        return Piece(self._merged[key], tuple(f for piece in pieces for f in piece.origins))


def _pack(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Cut pieces, in order, into bins of about the size aimed at."""
    pending: list[Piece] = []
    size = 0
    for piece in pieces:
        pending.append(piece)
        size += piece.file.size
        if size >= BIN_BYTES:
            yield pending
            pending, size = [], 0
    if pending:
        yield pending
