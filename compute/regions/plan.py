"""What a commit of regions changes: only what nobody has committed meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from compute.regions.stored import Ids, StoredRegions
from lake.errors import ConflictError
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.reader import Reader
from lake.storage.storage import Storage
from schemas import TABLES


class RegionPlan:
    """The changes on top of a version of the lake, called again when others were there first.

    A row whose structure has one already is left out, so that jobs may overlap.

    Parameters
    ----------
    rows
        By the name of the scheme.

    Attributes
    ----------
    n_added
        Structures that got regions by this plan.
    """

    def __init__(
        self, storage: Storage, stored: StoredRegions, rows: Mapping[str, pa.Table]
    ) -> None:
        self.operation_id = uuid.uuid4().hex
        self.n_added = 0
        self._storage = storage
        self._stored = stored
        self._rows = rows

    def __call__(self, state: State) -> Changes:
        """The changes on top of `state`.

        Raises
        ------
        ConflictError
            Somebody stored regions with other parameters meanwhile, or the structures are gone.
        """
        reader = Reader(self._storage, state)
        self._check_parameters(reader)
        there = self._structure_ids(reader)
        done = self._stored.read(reader)
        files: list[DataFile] = []
        added: set[int] = set()
        for name, rows in self._rows.items():
            ids = rows["structure_id"].to_numpy()
            is_new = np.isin(ids, there) & ~np.isin(ids, done[name])
            added.update(ids[is_new].tolist())
            if is_new.any():
                files.append(self._write(name, rows.filter(pa.array(is_new))))
        self.n_added = len(added)
        return Changes(added={"regions": files}, still_valid=self._still_valid)

    def _still_valid(self, planned_on: State, now: State) -> bool:
        """Whether nobody has changed the structures or these regions since."""
        if planned_on.table("structures") != now.table("structures"):
            return False
        before, after = (Reader(self._storage, state) for state in (planned_on, now))
        return self._stored.paths(before) == self._stored.paths(after)

    def _check_parameters(self, reader: Reader) -> None:
        difference = self._stored.difference(reader)
        if difference is not None:
            raise ConflictError(
                f"Regions of {self._stored.dataset} under {self._stored.scheme.family} were stored "
                f"with other parameters while these were computed: {difference}. What was "
                "computed since the last commit was not stored. Agree on one, and give --replace."
            )

    def _structure_ids(self, reader: Reader) -> Ids:
        """Structures the dataset holds."""
        files = reader.files("structures", dataset=self._stored.dataset)
        there = reader.columns("structures", files, ("structure_id",))["structure_id"].to_numpy()
        for rows in self._rows.values():
            if not np.isin(rows["structure_id"].to_numpy(), there).any():
                raise ConflictError(
                    f"The structures of {self._stored.dataset} were dropped from "
                    f"{self._storage.uri} while their regions were computed. What was computed "
                    "since the last commit was not stored. Ingest them and run the same again."
                )
        return np.asarray(there, np.int64)

    def _write(self, name: str, rows: pa.Table) -> DataFile:
        partition = {"dataset": self._stored.dataset, "scheme": name}
        file_name = f"{self.operation_id}-{uuid.uuid4().hex[:8]}"
        return write_data_file(self._storage, TABLES["regions"], partition, file_name, rows)
