"""Frames of a block that have the same columns, read together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.extxyz.atom_lines import BadAtomLineError, read_atom_lines
from ingest.extxyz.atoms import Arrays, AtomLinesError, read_atoms
from ingest.extxyz.columns import Columns
from ingest.extxyz.comment import Comment
from ingest.extxyz.scan import Block
from ingest.frames.frames import FrameBatch, Reject
from lake.structures.elements import N_ELEMENTS, numbers_of


@dataclass
class FrameGroup:
    """Good frames of a block, by their index in it, and what their comments say."""

    columns: Columns
    indices: list[int] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)

    def read(self, block: Block) -> tuple[FrameBatch, list[Reject]]:
        """Read the atom lines of the frames: the good ones, and the others with the reason."""
        rejects: list[Reject] = []
        try:
            arrays = read_atoms(self._bodies(block), self._n_atoms(block), self.columns)
        except AtomLinesError:
            arrays = self._read_one_by_one(block, rejects)
        batch = self._batch(block, arrays)
        elements = arrays[self.columns.elements.name]
        is_known = batch.numbers > 0
        if is_known.all():
            return batch, rejects
        offsets = batch.offsets
        keep = np.logical_and.reduceat(is_known, offsets[:-1]) if len(batch) else np.empty(0, bool)
        for i in np.flatnonzero(~keep).tolist():
            atom = int(offsets[i]) + int(np.argmin(is_known[offsets[i] : offsets[i + 1]]))
            line = int(block.line[self.indices[i]]) + 2 + atom - int(offsets[i])
            reason = f"line {line} names the element {elements[atom]!s:.40}, and there is none"
            rejects.append(block.reject(self.indices[i], reason))
        return batch.select(keep), rejects

    def _bodies(self, block: Block) -> list[bytes]:
        data = block.data or b""
        if len(self.indices) == len(block.frame):
            spans = zip(block.body.tolist(), block.end.tolist(), strict=True)
        else:
            body, end = block.body[self.indices], block.end[self.indices]
            spans = zip(body.tolist(), end.tolist(), strict=True)
        bodies = [data[start:stop] for start, stop in spans]
        if not bodies[-1].endswith(b"\n"):
            bodies[-1] += b"\n"  # the last frame of a file that lacks its last line end
        return bodies

    def _n_atoms(self, block: Block) -> int:
        return int(block.n_atoms[self.indices].sum())

    def _read_one_by_one(self, block: Block, rejects: list[Reject]) -> Arrays:
        """Read each frame by itself, and drop from the group those that are bad."""
        parts: list[Arrays] = []
        good: list[int] = []
        for i, body in enumerate(self._bodies(block)):
            index = self.indices[i]
            n_atoms = int(block.n_atoms[index])
            try:
                parts.append(_read_frame(body, n_atoms, self.columns))
                good.append(i)
            except BadAtomLineError as error:
                line = int(block.line[index]) + 2 + error.index
                rejects.append(block.reject(index, f"line {line} {error}"))
        self.indices = [self.indices[i] for i in good]
        self.comments = [self.comments[i] for i in good]
        if not parts:
            return {column.name: np.empty(0) for column in self.columns.all}
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _batch(self, block: Block, arrays: Arrays) -> FrameBatch:
        elements, positions = self.columns.elements.name, self.columns.positions.name
        return FrameBatch(
            frame=block.frame[self.indices],
            line=block.line[self.indices],
            n_atoms=block.n_atoms[self.indices],
            cell=np.array([c.cell for c in self.comments], dtype=np.float64).reshape(-1, 3, 3),
            pbc=np.array([c.pbc for c in self.comments], dtype=np.bool_).reshape(-1, 3),
            numbers=_numbers(arrays[elements]),
            positions=arrays[positions].reshape(-1, 3),
            arrays={n: values for n, values in arrays.items() if n not in (elements, positions)},
            info=[comment.info for comment in self.comments],
        )


def _read_frame(body: bytes, n_atoms: int, columns: Columns) -> Arrays:
    try:
        return read_atoms([body], n_atoms, columns)
    except AtomLinesError:
        return read_atom_lines(body, n_atoms, columns)


def _numbers(elements: NDArray[Any]) -> NDArray[np.int16]:
    """Atomic numbers from symbols or numbers; 0 for what is no element. Shape (n_atoms,)."""
    if elements.dtype.kind == "O":
        elements = np.array([word[:3] for word in elements], dtype="U3")
    if elements.dtype.kind == "U":
        return numbers_of(elements)
    is_element = (elements >= 1) & (elements <= N_ELEMENTS)
    return np.where(is_element, elements, 0).astype(np.int16)
