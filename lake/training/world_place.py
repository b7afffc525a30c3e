"""The place of this process among those that train together."""

from __future__ import annotations

import os
from typing import Any

import torch

from lake.errors import InvalidInputError

Place = tuple[int, int]  # rank, world_size


class WorldPlace:
    """Rank and number of ranks, looked up when they are asked for.

    In this order: as given, as torch.distributed says, as it said where this was pickled (a worker
    started anew does not know), as the environment says.

    Parameters
    ----------
    rank, world_size
        Both, or neither.

    Raises
    ------
    InvalidInputError
        What is given, or what the environment says, is incomplete or out of range.
    """

    def __init__(self, rank: int | None = None, world_size: int | None = None) -> None:
        self._given = None
        if rank is not None or world_size is not None:
            self._given = _checked(rank, world_size)
        self._pickled: Place | None = None
        self.find()

    def __getstate__(self) -> dict[str, Any]:
        return {"_given": self._given, "_pickled": _distributed_place() or self._pickled}

    def find(self) -> Place:
        """Rank and number of ranks, as they are known now."""
        for place in (self._given, _distributed_place(), self._pickled):
            if place is not None:
                return place
        return _environment_place()


def _distributed_place() -> Place | None:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None


def _environment_place() -> Place:
    """What RANK and WORLD_SIZE say; one process alone without them."""
    texts = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if texts == (None, None):
        return 0, 1
    try:
        rank, world_size = (None if text is None else int(text) for text in texts)
    except ValueError:
        raise InvalidInputError(
            f"RANK is {texts[0]!r} and WORLD_SIZE {texts[1]!r} in the environment. Expected whole "
            "numbers, with 0 <= RANK < WORLD_SIZE. Unset both, or give rank and world_size."
        ) from None
    return _checked(rank, world_size)


def _checked(rank: int | None, world_size: int | None) -> Place:
    if rank is None or world_size is None or not 0 <= rank < world_size:
        raise InvalidInputError(
            f"rank is {rank} and world_size {world_size}. Expected both, with "
            "0 <= rank < world_size. Give both, or set neither and use torch.distributed."
        )
    return rank, world_size
