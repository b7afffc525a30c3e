"""Where regions come down: rows into a commit, at intervals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from compute.regions.plan import RegionPlan
from compute.regions.stored import StoredRegions
from lake.lake import Lake
from schemas import TABLES

COMMIT_ATOMS = 2_000_000
OPERATION = "compute regions"


class RegionLanding:
    """Takes rows of one scheme and dataset, and commits them when it is time.

    Parameters
    ----------
    arguments
        What was asked for, to be kept with each commit.
    commit_every_s
        A job that is killed loses at most so much.

    Attributes
    ----------
    n_added
        Structures committed so far.
    """

    def __init__(
        self,
        lake: Lake,
        stored: StoredRegions,
        arguments: Mapping[str, Any],
        commit_every_s: float,
    ) -> None:
        self.n_added = 0
        self._lake = lake
        self._stored = stored
        self._arguments = arguments
        self._every_s = commit_every_s
        self._clear()

    def add(self, rows: Mapping[str, pa.Table], n_atoms: int) -> None:
        """Take rows by scheme, of so many atoms; commit if it is time."""
        for name, part in rows.items():
            self._parts[name].append(part)
        self._n_atoms += n_atoms
        waited_s = time.monotonic() - self._started_s
        if self._n_atoms >= COMMIT_ATOMS or waited_s >= self._every_s:
            self.commit()

    def commit(self) -> None:
        """Commit what was taken since the last time.

        Raises
        ------
        ConflictError
            The structures are gone, or somebody stored regions with other parameters.
        """
        empty = TABLES["regions"].file_arrow.empty_table()
        rows = {name: pa.concat_tables([empty, *parts]) for name, parts in self._parts.items()}
        self._clear()
        if not any(map(len, rows.values())):
            return
        plan = RegionPlan(self._lake.storage, self._stored, rows)
        self._lake.commit(
            OPERATION, plan, arguments=self._arguments, operation_id=plan.operation_id
        )
        self.n_added += plan.n_added

    def _clear(self) -> None:
        self._parts: dict[str, list[pa.Table]] = {name: [] for name in self._stored.names}
        self._n_atoms = 0
        self._started_s = time.monotonic()
