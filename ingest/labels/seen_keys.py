"""Which keys the frames of an ingest have, to tell a mapped key that none of them has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.frames.frames import FrameBatch
from ingest.labels.label_keys import LabelRules
from lake.errors import InvalidInputError, NotFoundError


@dataclass(frozen=True)
class SeenKeys:
    """Info keys and per-atom arrays of frames, and how many frames these are."""

    info: frozenset[str] = frozenset()
    arrays: frozenset[str] = frozenset()
    n_frames: int = 0

    @classmethod
    def of(cls, batches: Sequence[FrameBatch]) -> SeenKeys:
        """Those of some frames."""
        return cls(
            frozenset().union(*(info for batch in batches for info in batch.info)),
            frozenset().union(*(batch.arrays for batch in batches)),
            sum(map(len, batches)),
        )

    @classmethod
    def union(cls, parts: Iterable[SeenKeys]) -> SeenKeys:
        """All of them."""
        parts = list(parts)
        return cls(
            frozenset().union(*(part.info for part in parts)),
            frozenset().union(*(part.arrays for part in parts)),
            sum(part.n_frames for part in parts),
        )


def check_mapped_keys(rules: LabelRules, seen: SeenKeys) -> None:
    """Refuse a mapped key that no frame has; where no frame could be read, there is no telling.

    Raises
    ------
    InvalidInputError
        The key is misspelt: the frames would all go in without the label.
    """
    for label, key in rules.key_map.items() if seen.n_frames else ():
        kind, keys = ("info key", seen.info)
        if label == "forces":
            kind, keys = ("per-atom array", seen.arrays)
        if key and key not in keys:
            among = NotFoundError.among(f"{kind} of these frames", key, keys)
            raise InvalidInputError(f"--map {label}={key}: {among} Nothing was committed.")
