"""The work of one task: parse some blocks and write their rows into data files.

This module is what worker processes load, so it stays clear of DuckDB, Polars and delta-rs.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import xxhash

from ingest.frames.frames import Reject
from ingest.frames.importer import Block, Importer
from ingest.labels.labels import LabelRules
from ingest.labels.seen_keys import SeenKeys
from ingest.tables.names import NamePattern
from ingest.tables.rows import Rows, concatenate
from ingest.tables.tables import Parsed, parse
from lake.errors import InvalidInputError, JobFailedError, StorageError
from lake.log.data_files import DataFile, DataFileWriter, open_data_file
from lake.storage.storage import open_storage
from schemas import TABLES


@dataclass(frozen=True)
class Target:
    """Where the rows go, and how the frames are read: the same for every task of an ingest."""

    lake_uri: str
    storage_options: Mapping[str, str]
    operation_id: str
    dataset: str
    label_set: str
    importer: Importer
    rules: LabelRules
    name_pattern: NamePattern | None = None


@dataclass(frozen=True)
class Piece:
    """One block of one source.

    ``path`` says where to fetch the text again when the block travels without it; ``digest`` is
    xxh3_64 of that text, which tells whether the file has changed since.
    """

    source: int
    source_id: int
    name: str
    block: Block
    path: str | None = None
    digest: int = 0

    @property
    def text_bytes(self) -> int:
        """Size of the block's text."""
        return self.block.length


@dataclass(frozen=True)
class Task:
    """Blocks that one worker reads into one data file per table."""

    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class TaskResult:
    """What a task wrote, and what is known of its frames; rejects with the source's index."""

    number: int
    structures: DataFile | None
    labels: DataFile | None
    rows: Rows
    rejects: tuple[tuple[int, Reject], ...]
    frames_read: Mapping[int, int]
    unmatched: frozenset[str]
    seen: SeenKeys


def run_task(target: Target, task: Task) -> TaskResult:
    """Read a task's blocks, write their structures and labels, and say what they were."""
    rows: list[Rows] = []
    rejects: list[tuple[int, Reject]] = []
    frames_read: dict[int, int] = {}
    unmatched: set[str] = set()
    seen: list[SeenKeys] = []
    written: dict[str, list[DataFile]] = {}
    with ExitStack() as stack:
        writers = {}
        for piece in task.pieces:
            parsed = _parse(target, piece)
            frames_read[piece.source] = frames_read.get(piece.source, 0) + parsed.n_frames
            rejects += [(piece.source, reject) for reject in parsed.rejects]
            unmatched.update(parsed.unmatched)
            seen.append(parsed.seen)
            rows.append(_rows(task, piece, parsed))
            for name, table in (("structures", parsed.structures), ("labels", parsed.labels)):
                if not table.num_rows:
                    continue
                if name not in writers:
                    writers[name], written[name] = stack.enter_context(_open(target, task, name))
                source = pa.array(np.full(table.num_rows, piece.source_id))
                writers[name].write(table.append_column("source_id", source))
    return TaskResult(
        task.number,
        next(iter(written.get("structures", ())), None),
        next(iter(written.get("labels", ())), None),
        concatenate(rows),
        tuple(rejects),
        frames_read,
        frozenset(unmatched),
        SeenKeys.union(seen),
    )


def _open(
    target: Target, task: Task, name: str
) -> AbstractContextManager[tuple[DataFileWriter, list[DataFile]]]:
    partition = {"dataset": target.dataset}
    if name == "labels":
        partition["label_set"] = target.label_set
    storage = open_storage(target.lake_uri, target.storage_options)
    return open_data_file(
        storage,
        TABLES[name],
        partition,
        # A cluster may do a task twice; each time it writes files of its own.
        f"{target.operation_id}-{task.number:06}-{uuid.uuid4().hex[:8]}",
    )


def block_of(piece: Piece) -> Block:
    """The block of a piece with its text."""
    block = piece.block
    if block.data is None and piece.path is not None:
        return block.with_data(_fetch(piece))
    return block


def _parse(target: Target, piece: Piece) -> Parsed:
    block = block_of(piece)
    batches, rejects = target.importer.read(block)
    parsed = parse(
        batches,
        target.rules,
        name=piece.name,
        name_pattern=target.name_pattern,
        rejects=(*block.rejects, *rejects),
        excerpt=block.excerpt,
    )
    check_count(piece, parsed.n_frames)
    return parsed


def check_count(piece: Piece, n_frames: int) -> None:
    """Hold the frames that came of a piece against those that were found when it was cut.

    Raises
    ------
    JobFailedError
        They are not as many, which no input may bring about.
    """
    block = piece.block
    if block.n_frames not in (None, n_frames):
        raise JobFailedError(
            f"{piece.name}, from byte {block.offset}: {block.n_frames} frames were found, but "
            f"{n_frames} accounted for. Nothing was committed. Report this."
        )


def _fetch(piece: Piece) -> bytes:
    try:
        with Path(str(piece.path)).open("rb") as stream:
            stream.seek(piece.block.offset)
            data = stream.read(piece.block.length)
    except OSError as error:
        raise StorageError(
            f"{piece.path}: {error.strerror or error}. Every worker must reach the files under the "
            "same path. Nothing was committed."
        ) from error
    if xxhash.xxh3_64_intdigest(data) != piece.digest:
        raise InvalidInputError(
            f"{piece.path} changed while it was read. Nothing was committed. "
            "Wait until whatever writes it is done, and run the same command again."
        )
    return data


def _rows(task: Task, piece: Piece, parsed: Parsed) -> Rows:
    structures, labels = parsed.structures, parsed.labels
    frames = structures["frame"].to_numpy()
    has_label = np.isin(frames, labels["frame"].to_numpy())
    label_check = np.zeros(len(frames), dtype=np.int64)
    label_check[has_label] = labels["label_check"].to_numpy()
    energy = np.full(len(frames), np.nan)
    energy[has_label] = labels["energy"].to_numpy()
    ids = ("structure_id", "structure_check", "geometry_id", "geometry_check")
    return Rows(
        task=np.full(len(frames), task.number),
        source=np.full(len(frames), piece.source),
        frame=frames,
        line=parsed.line,
        has_label=has_label,
        label_check=label_check,
        energy=energy,
        **{name: structures[name].to_numpy() for name in ids},
    )
