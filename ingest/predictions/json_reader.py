"""Predictions in the JSON caches of earlier scripts, which hold labels but no positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ingest.frames.frames import Reject
from ingest.labels.label_values import LabelError
from ingest.labels.units import SourceUnits
from ingest.predictions.json_block import JsonBlock, json_blocks
from ingest.predictions.json_frame import JsonFrame, read_frame
from ingest.predictions.predicted import Predicted, References
from ingest.predictions.reader import Read


class JsonReader:
    """Reads a list of frames; see `ingest.predictions.reader.PredictionReader`."""

    format = "json"
    parses_in_threads = False

    def __init__(self, units: SourceUnits) -> None:
        self._units = units

    def blocks(self, stream: BinaryIO, name: str) -> Iterator[JsonBlock]:
        """Cut a decompressed stream into blocks of whole frames."""
        del name
        return json_blocks(stream)

    def read(self, block: JsonBlock, source: int, name: str) -> Read:
        """Read the predictions of a block."""
        del name
        result = Read(rejects=list(block.rejects))
        # Frames with and without predicted forces make different columns.
        with_forces: list[tuple[int, JsonFrame]] = []
        without: list[tuple[int, JsonFrame]] = []
        for i in range(len(block.start)):
            try:
                frame = read_frame(block.item(i), self._units)
            except LabelError as error:
                number, line = block.first_frame + i, int(block.line[i])
                excerpt = block.excerpt(number, line)
                result.rejects.append(Reject(number, line, str(error), excerpt))
                continue
            (without if frame.forces is None else with_forces).append((i, frame))
        for frames in (with_forces, without):
            if frames:
                result.predicted.append(_columns(frames, block, source))
        return result


def _columns(numbered: list[tuple[int, JsonFrame]], block: JsonBlock, source: int) -> Predicted:
    rows = [i for i, _ in numbered]
    frames = [frame for _, frame in numbered]
    forces = [frame.forces for frame in frames if frame.forces is not None]
    number = block.first_frame + np.array(rows, dtype=np.int64)
    return Predicted(
        source=source,
        frame=number,
        line=block.line[rows],
        n_atoms=np.array([len(frame.reference_forces) for frame in frames], dtype=np.int64),
        formula=[frame.formula for frame in frames],
        energy=np.array([frame.energy for frame in frames]),
        forces=np.concatenate(forces) if forces else None,
        stress=np.array([frame.stress for frame in frames], dtype=np.float64),
        whose=References(
            np.array([frame.reference_energy for frame in frames]),
            np.concatenate([frame.reference_forces for frame in frames]),
        ),
        excerpts=[block.excerpt(frame, 0) for frame in number.tolist()],
    )
