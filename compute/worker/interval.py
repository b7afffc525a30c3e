"""What was computed since the last commit, in bounded memory."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pyarrow as pa

from compute.worker.outcomes import Failure
from compute.worker.rows import joined
from lake.latents.latent_writer import LatentStoreWriter, Pointer

PARTS_AT_ONCE = 256  # a table of one row takes 15 kB, most of them for its columns


@dataclass
class Interval:
    """Rows of predictions in parts, failures, and pointers to the latents in `store`."""

    failures: list[Failure] = field(default_factory=list)
    pointers: list[Pointer] = field(default_factory=list)
    store: LatentStoreWriter | None = None
    n_atoms: int = 0
    n_structures: int = 0
    started_s: float = field(default_factory=time.monotonic)
    _parts: list[pa.Table] = field(default_factory=list)
    _joined: list[pa.Table] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self._parts or self._joined or self.failures or self.pointers)

    def add_rows(self, rows: pa.Table) -> None:
        """Take rows of predictions."""
        if not len(rows):
            return
        self._parts.append(rows)
        if len(self._parts) == PARTS_AT_ONCE:
            self._joined.append(joined(self._parts).combine_chunks())
            self._parts = []

    def rows(self) -> pa.Table:
        """All rows of predictions; not those of `failures`."""
        return joined([*self._joined, *self._parts])
