"""Structures and their labels as extended XYZ, bit for bit what the reader takes in."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from lake.errors import InvalidInputError
from lake.exports.extxyz_values_text import column_name, pair_text
from lake.structures.atom_arrays import decode_arrays
from lake.structures.elements import SYMBOLS
from lake.structures.info_json import decode_info
from lake.structures.structure_arrays import StructureArrays

_SYMBOL_BYTES = np.array([symbol.encode() for symbol in SYMBOLS], dtype=object)
_LETTERS = {"f": "R", "i": "I", "U": "S", "O": "S", "b": "L"}
_FULL_FROM_VOIGT = [0, 5, 4, 5, 1, 3, 4, 3, 2]
_NO_CELL = bytes(72)
_COMMA_TO_SPACE = bytes.maketrans(b",", b" ")
_SPECIES_NAMES = ("species", "symbols", "element", "elements")


def extxyz_text(
    structures: pa.Table, labels: pa.Table | None = None, *, label_prefix: str = ""
) -> bytes:
    """Write frames in the order of `structures`.

    Parameters
    ----------
    structures
        Rows of the table structures.
    labels
        Rows of the table labels, of one label set: in any order with their structure_id, or
        without it one for every structure, NULL where there is none.
    label_prefix
        Stands before energy, forces and stress, e.g. ``REF_``. Where a frame has a key of that
        name besides its label, the label is written as ``REF_…``, which the reader prefers.

    Raises
    ------
    InvalidInputError
        A structure has two rows of labels, or a per-atom text that extended XYZ cannot hold.
    """
    if structures.num_rows == 0:
        return b""
    if labels is not None and "structure_id" in labels.column_names:
        labels = _aligned(structures, labels)
    return b"".join(_Writer(structures, labels, label_prefix).frames())


def _aligned(structures: pa.Table, labels: pa.Table) -> pa.Table:
    """One row of labels for every structure, NULL where it has none."""
    wanted, known = structures["structure_id"].to_numpy(), labels["structure_id"].to_numpy()
    order = np.argsort(known, kind="stable")
    if (np.diff(known[order]) == 0).any():
        twice = known[order][:-1][np.diff(known[order]) == 0][0]
        raise InvalidInputError(
            f"Structure {twice} has two rows of labels. Extended XYZ holds one: choose a label set."
        )
    at = np.searchsorted(known[order], wanted)
    is_known = at < len(known)
    is_known[is_known] = known[order][at[is_known]] == wanted[is_known]
    rows = np.zeros(len(wanted), dtype=np.int64)
    rows[is_known] = order[at[is_known]]
    return labels.take(pa.array(rows, mask=~is_known))


class _Writer:
    """Columns of the tables as arrays, from which one frame after the other is written."""

    def __init__(self, structures: pa.Table, labels: pa.Table | None, prefix: str) -> None:
        self._prefix = prefix
        self._values = StructureArrays.from_rows(structures, labels)
        self._bounds = list(pairwise(self._values.offsets.tolist()))
        self._symbols = _SYMBOL_BYTES[self._values.numbers].tolist()
        self._infos = [decode_info(text or "{}") for text in structures["info"].to_pylist()]
        self._config_types = structures["config_type"].to_pylist()
        self._arrays = decode_arrays(structures["arrays"])
        k = len(self._bounds)
        energy, stress = self._values.energy, self._values.stress
        self._energies = [np.nan] * k if energy is None else energy.tolist()
        self._stresses = [[np.nan] * 6] * k if stress is None else stress.tolist()

    def frames(self) -> list[bytes]:
        """Every frame."""
        return [self._frame(i) for i in range(len(self._bounds))]

    def _frame(self, i: int) -> bytes:
        start, stop = self._bounds[i]
        arrays, info = self._arrays[i], self._infos[i]
        columns: dict[str, NDArray[Any]] = {"pos": self._values.positions[start:stop]}
        forces = self._values.forces
        if forces is not None and not np.isnan(forces[start, 0]):
            columns[self._label_key("forces", arrays)] = forces[start:stop]
        columns |= arrays
        species = next(name for name in _SPECIES_NAMES if name not in arrays)
        head = self._comment(i, info, f"{species}:S:1:{_properties(columns)}")
        lines = _atom_lines(self._symbols[start:stop], columns)
        return b"%d\n%b\n%b\n" % (stop - start, head.encode(), lines)

    def _comment(self, i: int, info: Mapping[str, Any], properties: str) -> str:
        cell = self._values.cell[i]
        pairs = []
        if cell.tobytes() != _NO_CELL:
            pairs.append(pair_text("Lattice", cell.reshape(-1).tolist()))
        pairs.append(
            f'Properties="{properties}"' if " " in properties else f"Properties={properties}"
        )
        config_type = self._config_types[i]
        if config_type is not None and "config_type" not in info:
            pairs.append(pair_text("config_type", config_type))
        pairs += [pair_text(key, value) for key, value in info.items()]
        energy, stress = self._energies[i], self._stresses[i]
        if energy == energy:  # nan where there is none
            pairs.append(pair_text(self._label_key("energy", info), energy))
        if stress[0] == stress[0]:
            full = [stress[j] for j in _FULL_FROM_VOIGT]
            pairs.append(pair_text(self._label_key("stress", info), full))
        pairs.append(pair_text("pbc", self._values.pbc[i].tolist()))
        return " ".join(pairs)

    def _label_key(self, label: str, taken: Mapping[str, Any]) -> str:
        key = self._prefix + label
        if key not in taken:
            return key
        # REF_force stands before REF_forces in the order in which the reader looks.
        return next(
            k for k in (f"REF_{label}", f"REF_{label[:-1]}", key) if k not in taken or k == key
        )


def _properties(columns: Mapping[str, NDArray[Any]]) -> str:
    return ":".join(
        f"{column_name(name)}:{_LETTERS[values.dtype.kind]}:"
        f"{values.shape[1] if values.ndim == 2 else 1}"
        for name, values in columns.items()
    )


def _atom_lines(symbols: list[bytes], columns: Mapping[str, NDArray[Any]]) -> bytes:
    """The atom lines of a frame; columns of floats that stand side by side are written together."""
    parts: list[list[bytes]] = [symbols]
    floats: list[NDArray[Any]] = []
    for values in columns.values():
        rows = values.reshape(len(symbols), -1)
        if rows.dtype.kind == "f":
            floats.append(rows)
            continue
        if floats:
            parts.append(_float_rows(floats))
            floats = []
        parts.append([" ".join(map(_word, row)).encode() for row in rows.tolist()])
    if floats:
        parts.append(_float_rows(floats))
    return b"\n".join(map(b" ".join, zip(*parts, strict=True)))


def _float_rows(columns: list[NDArray[Any]]) -> list[bytes]:
    """Rows of floats in the shortest form that reads back bit for bit."""
    rows = np.concatenate(columns, axis=1) if len(columns) > 1 else np.ascontiguousarray(columns[0])
    text = orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY)
    if b"null" in text:  # nan and infinity, which JSON lacks
        return [" ".join(map(repr, row)).encode() for row in rows.tolist()]
    return [row.translate(_COMMA_TO_SPACE) for row in text[2:-2].split(b"],[")]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, str) and (len(value.split()) != 1 or value != value.strip()):
        raise InvalidInputError(
            f"The per-atom text {value!r} cannot stand in extended XYZ, where spaces separate "
            "columns. Export to Parquet, or leave the array out."
        )
    return str(value)
