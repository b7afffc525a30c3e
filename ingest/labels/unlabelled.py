"""What of a frame is none of its labels, chosen or not: the part that makes its identity."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ingest.frames.frames import Info
from ingest.labels.label_keys import ALIASES
from ingest.labels.label_values import number_of, numbers_of
from ingest.labels.labels import are_vectors

_ENERGIES = frozenset(ALIASES["energy"])
_TENSORS = frozenset((*ALIASES["stress"], *ALIASES["virial"]))
_KEYS = _ENERGIES | _TENSORS
_FORCES = frozenset(ALIASES["forces"])


def unlabelled_info(info: Info) -> Info:
    """`info` without the keys that hold a label under one of its usual names.

    Which of them is chosen depends on how a file is read, and the frame is the same.
    """
    if _KEYS.isdisjoint(info):
        return info
    return {key: value for key, value in info.items() if not _is_label(key, value)}


def unlabelled_arrays(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """`arrays` without those that hold forces under one of their usual names."""
    return {
        name: values
        for name, values in arrays.items()
        if not (name in _FORCES and are_vectors(values))
    }


def _is_label(key: str, value: Any) -> bool:
    if key in _ENERGIES:
        return number_of(value) is not None
    return key in _TENSORS and len(numbers_of(value) or ()) in (6, 9)
