"""Predictions in extended XYZ, beside the geometry they were made for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ingest.extxyz.importer import ExtxyzImporter
from ingest.extxyz.scan import Block
from ingest.frames.frames import FrameBatch, Reject
from ingest.labels.labels import Faults, LabelRules, Labels, are_vectors
from ingest.labels.seen_keys import SeenKeys
from ingest.predictions.predicted import Geometries, Predicted
from ingest.predictions.prediction_keys import Choice, PredictionKeys
from ingest.predictions.reader import Read
from ingest.tables.rows_of_frames import compositions, identities_of
from ingest.tables.tables import checked_frames
from lake.structures.info_json import encode_info


class ExtxyzReader:
    """Reads extended XYZ; see `ingest.predictions.reader.PredictionReader`."""

    format = "extxyz"
    parses_in_threads = True

    def __init__(self, keys: PredictionKeys, rules: LabelRules) -> None:
        self._importer = ExtxyzImporter()
        self._keys = keys
        self._rules = rules

    def blocks(self, stream: BinaryIO, name: str) -> Iterator[Block]:
        """Cut a decompressed stream into blocks of whole frames."""
        return self._importer.blocks(stream, name)

    def read(self, block: Block, source: int, name: str) -> Read:
        """Read the predictions of a block."""
        batches, refused = self._importer.read(block)
        result = Read(rejects=[*block.rejects, *refused], seen=SeenKeys.of(batches))
        for batch in batches:
            for alike in _alike(batch):
                self._add(alike, block, source, name, result)
        return result

    def _add(self, batch: FrameBatch, block: Block, source: int, name: str, result: Read) -> None:
        vectors = [key for key, values in batch.arrays.items() if are_vectors(values)]
        if "forces" in self._keys.key_map:  # one that is none is told of, frame by frame
            vectors = list(batch.arrays)
        place = f"{name}, frame {batch.frame[0]} (line {batch.line[0]})"
        choice = self._keys.choose(batch.info[0], vectors, place)
        result.choices.add(choice)
        faults: Faults = {}
        frames, labels = checked_frames(batch, self._keys.rules(choice, self._rules), faults)
        result.rejects += [_reject(batch, i, reason, block) for i, reason in faults.items()]
        given = ~(np.isnan(labels.energy) & np.isnan(labels.stress[:, 0]))
        given |= labels.forces is not None
        for i in np.flatnonzero(~given).tolist():
            result.rejects.append(_reject(frames, i, _nothing(frames, i, choice), block))
        labels = labels.select(given, frames.n_atoms)
        frames = frames.select(given)
        if len(frames):
            result.predicted.append(_predicted(frames, labels, block, source))


def _reject(batch: FrameBatch, index: int, reason: str, block: Block) -> Reject:
    frame, line = int(batch.frame[index]), int(batch.line[index])
    return Reject(frame, line, reason, block.excerpt(frame, line))


def _alike(batch: FrameBatch) -> Iterator[FrameBatch]:
    """The frames of a batch, those with the same info keys together."""
    layouts: dict[frozenset[str], list[int]] = {}
    for i, info in enumerate(batch.info):
        layouts.setdefault(frozenset(info), []).append(i)
    for frames in layouts.values():
        keep = np.zeros(len(batch), dtype=np.bool_)
        keep[frames] = True
        yield batch.select(keep)


def _nothing(batch: FrameBatch, index: int, choice: Choice) -> str:
    if choice.keys:
        named = " and ".join(key for _, key in choice.keys)
        return f"holds nothing under {named}; a predicted energy, forces or stress expected"
    there = ", ".join(sorted((*batch.info[index], *batch.arrays))) or "none"
    return (
        "holds no prediction; a predicted energy, forces or stress expected. Its keys are: "
        f"{there}. Say which hold them: --map forces=KEY"
    )


def _predicted(frames: FrameBatch, labels: Labels, block: Block, source: int) -> Predicted:
    infos = [encode_info(info) for info in frames.info]
    identities = identities_of(frames, infos, labels.config_type)
    places = zip(frames.frame.tolist(), frames.line.tolist(), strict=True)
    return Predicted(
        source=source,
        frame=frames.frame,
        line=frames.line,
        n_atoms=frames.n_atoms,
        formula=compositions(frames)[0].to_pylist(),
        energy=labels.energy,
        forces=labels.forces,
        stress=labels.stress,
        whose=Geometries(
            identities.geometry_id,
            identities.structure_id,
            frames.numbers,
            frames.positions,
            frames.cell,
            frames.pbc,
        ),
        excerpts=[block.excerpt(frame, line) for frame, line in places],
    )
