"""The work of one task: read the predictions in some blocks.

This module is what worker processes load, so it stays clear of DuckDB, Polars and delta-rs.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.frames.frames import Reject
from ingest.labels.seen_keys import SeenKeys
from ingest.predictions.predicted import Predicted
from ingest.predictions.prediction_keys import Choice
from ingest.predictions.reader import PredictionReader
from ingest.tasks.reading import Task, block_of, check_count


@dataclass(frozen=True)
class PredictionTaskResult:
    """What a task read; rejects with the source's index."""

    number: int
    predicted: tuple[Predicted, ...]
    rejects: tuple[tuple[int, Reject], ...]
    frames_read: dict[int, int]
    choices: frozenset[Choice]
    seen: SeenKeys


def run_prediction_task(reader: PredictionReader, task: Task) -> PredictionTaskResult:
    """Read the blocks of a task."""
    predicted: list[Predicted] = []
    rejects: list[tuple[int, Reject]] = []
    frames_read: dict[int, int] = {}
    choices: set[Choice] = set()
    seen: list[SeenKeys] = []
    for piece in task.pieces:
        read = reader.read(block_of(piece), piece.source, piece.name)
        check_count(piece, read.n_frames)
        frames_read[piece.source] = frames_read.get(piece.source, 0) + read.n_frames
        predicted += read.predicted
        rejects += [(piece.source, reject) for reject in read.rejects]
        choices |= read.choices
        seen.append(read.seen)
    return PredictionTaskResult(
        task.number,
        tuple(predicted),
        tuple(rejects),
        frames_read,
        frozenset(choices),
        SeenKeys.union(seen),
    )
