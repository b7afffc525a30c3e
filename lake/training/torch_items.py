"""Rows of the lake as dicts of torch tensors, and several of those as one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from lake.structures.structure_arrays import StructureArrays

PER_ATOM = ("numbers", "positions", "forces")

Item = dict[str, Any]


def unpack(structures: pa.Table, labels: pa.Table | None, columns: Sequence[str]) -> Iterator[Item]:
    """One item for every row; `columns` of structures are plain values in it."""
    arrays = StructureArrays.from_rows(structures, labels)
    per_structure = {
        "structure_id": structures["structure_id"].to_numpy(),
        "cell": arrays.cell,
        "pbc": arrays.pbc,
        "energy": arrays.energy,
        "stress": arrays.stress,
    }
    per_atom = {
        "numbers": arrays.numbers,
        "positions": arrays.positions,
        "forces": arrays.forces,
    }
    plain = {name: structures[name].to_pylist() for name in columns}
    for i, (start, stop) in enumerate(pairwise(arrays.offsets.tolist())):
        item: Item = {name: values[i] for name, values in plain.items()}
        for name, values in per_structure.items():
            if values is not None:
                item[name] = torch.from_numpy(np.array(values[i]))
        for name, values in per_atom.items():
            if values is not None:
                item[name] = torch.from_numpy(values[start:stop].copy())
        yield item


def collate(items: Sequence[Item]) -> Item:
    """One batch of b items with N atoms in all, for ``DataLoader(..., collate_fn=collate)``.

    ``numbers``, ``positions`` and ``forces`` are concatenated over atoms, shape (N, …); other
    tensors are stacked, shape (b, …); plain values become lists. ``batch`` tells which item every
    atom belongs to, shape (N,), and ``ptr`` where each begins, shape (b + 1,).
    """
    n_atoms = [len(item["numbers"]) for item in items]
    batch: Item = {
        # NumPy, because torch starts threads for this and then waits for them.
        "batch": torch.from_numpy(np.repeat(np.arange(len(items)), n_atoms)),
        "ptr": torch.from_numpy(np.concatenate(([0], np.cumsum(n_atoms)))),
    }
    for name in items[0]:
        values = [item[name] for item in items]
        if name in PER_ATOM:
            batch[name] = torch.cat(values)
        elif isinstance(values[0], torch.Tensor):
            batch[name] = torch.stack(values)
        else:
            batch[name] = values
    return batch
