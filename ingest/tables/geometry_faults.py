"""Geometries that cannot be: numbers that are none, and cells without room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.frames.frames import FrameBatch
from ingest.labels.labels import Faults, first_atoms

# Vectors closer to one plane (or line) than this, relative to their lengths, span nothing.
_FLAT = 1e-10


def find_geometry_faults(batch: FrameBatch, faults: Faults) -> None:
    """Put the frames with an impossible geometry into `faults`."""
    bad_cell = ~np.isfinite(batch.cell).all(axis=(1, 2))
    for i in np.flatnonzero(bad_cell).tolist():
        cell = batch.cell[i].tolist()
        faults.setdefault(i, f"has the cell {cell}; finite numbers expected")
    for i in np.flatnonzero(~bad_cell & batch.pbc.any(axis=1) & _may_be_flat(batch)).tolist():
        vectors = batch.cell[i][batch.pbc[i]]
        if not _spans(vectors):
            periodic = "".join("FT"[int(p)] for p in batch.pbc[i])
            faults.setdefault(
                i,
                f"is periodic ({periodic}) along cell vectors that span no volume: "
                f"{batch.cell[i].tolist()}. Give a cell, or pbc F where there is none",
            )
    is_bad: NDArray[np.bool_] = np.logical_not(np.isfinite(batch.positions).all(axis=1))
    for i, atom in first_atoms(is_bad, batch):
        position = batch.positions[batch.offsets[i] + atom].tolist()
        faults.setdefault(i, f"atom {atom} has the position {position}; finite numbers expected")


def _may_be_flat(batch: FrameBatch) -> NDArray[np.bool_]:
    a, b, c = batch.cell[:, 0], batch.cell[:, 1], batch.cell[:, 2]
    volume = np.abs(np.einsum("ij,ij->i", a, np.cross(b, c)))
    box = np.prod(np.linalg.norm(batch.cell, axis=2), axis=1)
    flat: NDArray[np.bool_] = ~(volume > _FLAT * box)
    return flat


def _spans(vectors: NDArray[np.float64]) -> bool:
    lengths = np.linalg.norm(vectors, axis=1)
    if not (lengths > 0).all():
        return False
    directions = vectors / lengths[:, None]
    return bool(np.linalg.svd(directions, compute_uv=False)[-1] > _FLAT)
