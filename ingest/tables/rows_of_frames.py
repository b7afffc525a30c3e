"""Arrow rows of frames, without a copy where the layout allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.frames.frames import FrameBatch, Info
from ingest.labels.labels import Labels
from ingest.labels.unlabelled import unlabelled_arrays, unlabelled_info
from lake.structures.elements import SYMBOLS, hill_formula
from lake.structures.identity import Identities, identify, label_checks
from lake.structures.info_json import encode_info
from schemas.structures import LABELS, STRUCTURES
from schemas.types import ARRAYS, STRINGS, VECTORS, VOIGT

# What the one who knows the source adds.
_NOT_HERE = ("dataset", "label_set", "source_id")


def _fields(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in _NOT_HERE])


STRUCTURE_FIELDS = _fields(STRUCTURES.arrow)
LABEL_FIELDS = _fields(LABELS.arrow)
_LISTS = {"f": "floats", "i": "integers", "s": "strings", "b": "booleans"}


def structure_rows(batch: FrameBatch, config_type: list[str | None]) -> tuple[pa.Table, Identities]:
    """Rows of the table structures, and the identities in them."""
    infos = [encode_info(info) for info in batch.info]
    identities = identities_of(batch, infos, config_type)
    offsets = _offsets(batch)
    formula, elements = compositions(batch)
    columns = {
        **identities._asdict(),
        "n_atoms": batch.n_atoms.astype(np.int32),
        "formula": formula,
        "elements": elements,
        "numbers": pa.ListArray.from_arrays(offsets, pa.array(batch.numbers)),
        "positions": vectors(batch.positions, offsets),
        "cell": _fixed_lists(batch.cell.reshape(-1, 9)),
        "pbc": _fixed_lists(batch.pbc),
        "config_type": pa.array(config_type, pa.string()),
        "info": pa.array(infos, pa.binary()).cast(pa.string()),
        "arrays": _arrays(batch.arrays, batch),
        "frame": batch.frame,
    }
    return _table(columns, STRUCTURE_FIELDS), identities


def identities_of(
    batch: FrameBatch, infos: list[bytes], config_type: list[str | None]
) -> Identities:
    """The identities of frames; `infos` are their keys as `encode_info` makes them."""
    return identify(
        n_atoms=batch.n_atoms,
        numbers=batch.numbers,
        positions=batch.positions,
        cell=batch.cell,
        pbc=batch.pbc,
        arrays=unlabelled_arrays(batch.arrays),
        info=list(map(_unlabelled, infos, batch.info)),
        config_type=config_type,
    )


def label_rows(batch: FrameBatch, labels: Labels, identities: Identities) -> pa.Table:
    """Rows of the table labels, of the frames that have any."""
    has_energy = ~np.isnan(labels.energy)
    has_stress = ~np.isnan(labels.stress[:, 0])
    checks = label_checks(
        n_atoms=batch.n_atoms, energy=labels.energy, forces=labels.forces, stress=labels.stress
    )
    forces = labels.forces
    columns = {
        "structure_id": identities.structure_id,
        "n_atoms": batch.n_atoms.astype(np.int32),
        "energy": pa.array(labels.energy, mask=~has_energy),
        "forces": pa.nulls(len(batch), VECTORS)
        if forces is None
        else vectors(forces, _offsets(batch)),
        "stress": tensors(labels.stress),
        "label_check": checks,
        "frame": batch.frame,
    }
    table = _table(columns, LABEL_FIELDS)
    has_any = has_energy | has_stress | (forces is not None)
    return table if has_any.all() else table.filter(pa.array(has_any))


def _unlabelled(text: bytes, info: Info) -> bytes:
    """`text`, which `encode_info` made of `info`, without labels."""
    bare = unlabelled_info(info)
    return text if bare is info else encode_info(bare)


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    arrays = []
    for field in schema:
        values = columns[field.name]
        is_arrow = isinstance(values, pa.Array | pa.ChunkedArray)
        arrays.append(values if is_arrow else pa.array(values, field.type))
    return pa.table(arrays, schema=schema)


def _offsets(batch: FrameBatch) -> pa.Array:
    # 32 bits reach for 2**31 atoms, far more than one block holds.
    return pa.array(batch.offsets.astype(np.int32))


def vectors(values: NDArray[np.float64], offsets: pa.Array) -> pa.Array:
    """Vectors of atoms as rows. Shape (N, 3); `offsets` has the first atom of each row and N."""
    lists = [
        pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values[:, j])))
        for j in range(3)
    ]
    return pa.StructArray.from_arrays(lists, fields=list(VECTORS))


def tensors(values: NDArray[np.float64]) -> pa.Array:
    """Tensors in Voigt order as rows, NULL where they are NaN. Shape (k, 6)."""
    is_missing = np.isnan(values[:, 0])
    parts = [pa.array(values[:, j].copy(), mask=is_missing) for j in range(6)]
    return pa.StructArray.from_arrays(parts, fields=list(VOIGT), mask=pa.array(is_missing))


def _fixed_lists(rows: NDArray[Any]) -> pa.Array:
    k, width = rows.shape
    offsets = pa.array(np.arange(0, (k + 1) * width, width, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(rows.reshape(-1)))


def compositions(batch: FrameBatch) -> tuple[pa.Array, pa.Array]:
    """Formula and elements of each frame; most frames of a block share a few compositions."""
    present = np.flatnonzero(np.bincount(batch.numbers))
    k, width = len(batch), len(present)
    element = np.searchsorted(present, batch.numbers)
    frame = np.repeat(np.arange(k), batch.n_atoms)
    counts = np.bincount(frame * width + element, minlength=k * width).reshape(k, width)
    distinct, which = np.unique(counts, axis=0, return_inverse=True)
    symbols = [SYMBOLS[z] for z in present]
    named = [{symbols[j]: int(row[j]) for j in np.flatnonzero(row)} for row in distinct]
    index = pa.array(which.reshape(-1).astype(np.int32))
    formulas = pa.array([hill_formula(counts) for counts in named], pa.string())
    elements = pa.array([sorted(counts) for counts in named], STRINGS)
    return formulas.take(index), elements.take(index)


def _arrays(arrays: dict[str, NDArray[Any]], batch: FrameBatch) -> pa.Array:
    """The other per-atom arrays: for each frame a list of one entry per array, by name."""
    k, names = len(batch), sorted(arrays)
    if not names:
        zeros = pa.array(np.zeros(k + 1, np.int32))
        return pa.ListArray.from_arrays(zeros, pa.array([], ARRAYS.value_type))
    entries = pa.concat_arrays([_entries(name, arrays[name], batch) for name in names])
    # One array after the other now; frame by frame is what the lists hold.
    by_frame = np.arange(len(names) * k).reshape(len(names), k).T.reshape(-1)
    bounds = np.arange(0, (k + 1) * len(names), len(names), dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(bounds), entries.take(pa.array(by_frame)))


def _entries(name: str, values: NDArray[Any], batch: FrameBatch) -> pa.Array:
    """One per-atom array of every frame."""
    k = len(batch)
    width = values.shape[1] if values.ndim == 2 else 1
    kind = "s" if values.dtype.kind in "OU" else values.dtype.kind
    offsets = pa.array((batch.offsets * width).astype(np.int32))
    flat = pa.array(values.reshape(-1), pa.string() if kind == "s" else None)
    columns = {
        "name": pa.repeat(name, k),
        "n_columns": pa.array(np.full(k, width, np.int32)),
        _LISTS[kind]: pa.ListArray.from_arrays(offsets, flat),
    }
    fields = list(ARRAYS.value_type)
    arrays = [columns.get(field.name, pa.nulls(k, field.type)) for field in fields]
    return pa.StructArray.from_arrays(arrays, fields=fields)
