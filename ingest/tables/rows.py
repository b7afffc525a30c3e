"""What is known of every frame read: enough to find repeated ones, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Frames that were read, as columns of shape (n,), in the order in which they were read.

    ``source`` is the index of the source in the command, ``task`` the task that wrote the frame.
    ``label_check`` is 0 where ``has_label`` is False, and ``energy`` NaN where there is none. eV.
    """

    task: Integers
    source: Integers
    frame: Integers
    line: Integers
    structure_id: Integers
    structure_check: Integers
    geometry_id: Integers
    geometry_check: Integers
    has_label: NDArray[np.bool_]
    label_check: Integers
    energy: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frame)

    def select(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows where `mask` is true."""
        return Rows(*(getattr(self, field.name)[mask] for field in fields(self)))


_KINDS: dict[str, type] = {"has_label": np.bool_, "energy": np.float64}


def concatenate(parts: Sequence[Rows]) -> Rows:
    """Rows one after the other."""
    columns = []
    for field in fields(Rows):
        kind = _KINDS.get(field.name, np.int64)
        values = [getattr(part, field.name) for part in parts]
        columns.append(np.concatenate(values) if values else np.empty(0, kind))
    return Rows(*columns)
