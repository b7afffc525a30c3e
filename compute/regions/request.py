"""What somebody wants labelled."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from compute.regions.scheme import Scheme
from lake.errors import InvalidInputError

MOST_WORKERS = 1_024


@dataclass(frozen=True)
class RegionRequest:
    """A scheme on datasets.

    Parameters
    ----------
    where
        SQL condition on the structures, over the columns of structures and labels.
    workers
        Most processes.
    replaces
        Take out what was stored with other parameters, of all structures of the datasets.
    """

    datasets: Sequence[str]
    scheme: Scheme
    where: str | None = None
    workers: int = 1
    commit_every_s: float = 60.0
    replaces: bool = False

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises
        ------
        InvalidInputError
            An option has none of the values it may have.
        """
        if not self.datasets:
            raise InvalidInputError("--dataset: none is given. Expected at least one.")
        if not 1 <= self.workers <= MOST_WORKERS:
            raise InvalidInputError(
                f"--workers {self.workers}: expected a number from 1 to {MOST_WORKERS:,}."
            )
        if not (self.commit_every_s > 0 and math.isfinite(self.commit_every_s)):
            raise InvalidInputError(
                f"--commit-every {self.commit_every_s}: expected a number of seconds above 0."
            )


def available_cores() -> int:
    """Cores this process may use, which under Slurm are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
