"""Identities: hashes that are equal where the content is, in any file and any dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest, xxh3_128, xxh3_128_digest

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class Identities(NamedTuple):
    """Both halves of the 128-bit hashes of k frames. Shape (k,) each."""

    structure_id: Integers
    structure_check: Integers
    geometry_id: Integers
    geometry_check: Integers


def identify(
    *,
    n_atoms: Integers,
    numbers: NDArray[np.int16],
    positions: Floats,
    cell: Floats,
    pbc: NDArray[np.bool_],
    arrays: Mapping[str, NDArray[Any]],
    info: Sequence[bytes],
    config_type: Sequence[str | None],
) -> Identities:
    """Hash k frames of N atoms in all; numbers count bit by bit, so 0.0 and -0.0 differ.

    Parameters
    ----------
    n_atoms
        Shape (k,), sum N.
    numbers
        Shape (N,).
    positions
        Shape (N, 3), Å.
    cell
        Shape (k, 3, 3), Å.
    pbc
        Shape (k, 3).
    arrays
        Every other per-atom array: float64, int64, bool, or object holding str. Shape (N,) or
        (N, m).
    info
        Every other key, as `encode_info` makes it. Length k.
    config_type
        Length k.
    """
    offsets = np.concatenate(([0], np.cumsum(n_atoms))).tolist()
    fixed = np.concatenate(
        [
            _bytes(np.asarray(n_atoms, "<i8")[:, None]),
            _bytes(cell.reshape(-1, 9).astype("<f8", copy=False)),
            _bytes(pbc),
        ],
        axis=1,
    )
    fixed_view, width = fixed.reshape(-1).data, fixed.shape[1]
    number_view = _view(numbers.astype("<i2", copy=False))
    position_view = _view(positions.astype("<f8", copy=False))
    columns = [_ArrayBytes(name, arrays[name], offsets) for name in sorted(arrays)]
    structures: list[bytes] = []
    geometries: list[bytes] = []
    for i, (document, kind) in enumerate(zip(info, config_type, strict=True)):
        start, stop = offsets[i], offsets[i + 1]
        state = xxh3_128(fixed_view[i * width : (i + 1) * width])
        state.update(number_view[2 * start : 2 * stop])
        state.update(position_view[24 * start : 24 * stop])
        geometry = state.digest()
        geometries.append(geometry)
        # Lengths and kinds come first, so that no two frames run together to the same bytes.
        rest = b"%b%d %b" % (geometry, len(document), document)
        rest += b"-" if kind is None else b"+" + kind.encode()
        if columns:
            state = xxh3_128(rest)
            for column in columns:
                column.update(state, i)
            structures.append(state.digest())
        else:
            structures.append(xxh3_128_digest(rest))
    return Identities(*_halves(structures), *_halves(geometries))


def label_checks(
    *,
    n_atoms: Integers,
    energy: Floats,
    forces: Floats | None,
    stress: Floats,
) -> Integers:
    """Hash the labels of k frames; NaN stands for an energy or stress that is not given.

    Parameters
    ----------
    energy
        Shape (k,), eV.
    forces
        Shape (N, 3), eV/Å; None where no frame has any.
    stress
        Shape (k, 6), eV/Å³.
    """
    fixed = np.concatenate(
        [
            _bytes(_one_nan(energy)[:, None]),
            _bytes(_one_nan(stress)),
        ],
        axis=1,
    )
    rows, width = fixed.tobytes(), fixed.shape[1]
    offsets = np.concatenate(([0], np.cumsum(n_atoms) * 24)).tolist()
    force_bytes = b"" if forces is None else forces.astype("<f8", copy=False).tobytes()
    marker = b"-" if forces is None else b"+"
    hashes = [
        xxh3_64_intdigest(
            rows[i * width : (i + 1) * width] + marker + force_bytes[offsets[i] : offsets[i + 1]]
        )
        for i in range(len(energy))
    ]
    return np.array(hashes, dtype=np.uint64).view(np.int64)


class _ArrayBytes:
    """One per-atom array, cut into the bytes of each frame."""

    def __init__(self, name: str, values: NDArray[Any], offsets: list[int]) -> None:
        width = values.shape[1] if values.ndim == 2 else 1
        kind = "s" if values.dtype.kind in "OU" else values.dtype.kind
        self._header = orjson.dumps([name, kind, values.ndim, width])
        self._offsets = offsets
        self._values = values
        self._is_text = kind == "s"
        if not self._is_text:
            given = _one_nan(values) if kind == "f" else values
            plain = given.astype(given.dtype.newbyteorder("<"), copy=False)
            self._view = _view(plain)
            self._row_bytes = width * plain.dtype.itemsize

    def update(self, state: xxh3_128, frame: int) -> None:
        """Add the array's part of a frame to a hash."""
        start, stop = self._offsets[frame], self._offsets[frame + 1]
        state.update(self._header)
        if self._is_text:
            state.update(orjson.dumps(self._values[start:stop].tolist()))
        else:
            state.update(self._view[start * self._row_bytes : stop * self._row_bytes])


def _view(values: NDArray[Any]) -> memoryview:
    flat = np.ascontiguousarray(values).reshape(-1)
    return flat.view(np.uint8).data


def _bytes(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of each row. Shape (k, bytes of a row)."""
    width = rows.itemsize * rows.shape[1]
    return np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), width)


def _one_nan(values: Floats) -> NDArray[np.float64]:
    # There are many bit patterns of nan, and text knows one.
    return np.where(np.isnan(values), np.nan, values).astype("<f8", copy=False)


def _halves(digests: Sequence[bytes]) -> tuple[Integers, Integers]:
    """The low halves of 128-bit digests, and the high ones, as signed integers."""
    words = np.frombuffer(b"".join(digests), dtype=">i8").reshape(-1, 2).astype(np.int64)
    return words[:, 1].copy(), words[:, 0].copy()
