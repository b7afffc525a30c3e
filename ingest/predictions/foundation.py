"""What predictions rest on in the lake, and whether it is still there when they are committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.predictions.options import find_model
from lake.errors import ConflictError
from lake.reader import Reader

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Foundation:
    """The model, and the structures that frames were matched to in one version of the lake.

    Attributes
    ----------
    matched
        That version.
    structures
        structure_id by dataset.
    """

    model: str
    model_id: int
    matched: Reader
    structures: Mapping[str, Integers]

    def check_still_there(self, reader: Reader) -> None:
        """Refuse to point at what was dropped since.

        Raises
        ------
        ConflictError
            A structure, or the model, is gone.
        """
        is_there = find_model(reader, self.model) == self.model_id
        for dataset, wanted in self.structures.items():
            if not _paths(self.matched, "structures", dataset) - _paths(
                reader, "structures", dataset
            ):
                continue
            files = reader.files("structures", dataset=dataset)
            ids = reader.columns("structures", files, ("structure_id",))["structure_id"]
            is_there &= bool(np.isin(wanted, ids.to_numpy()).all())
        if not is_there:
            raise ConflictError(
                f"{reader.storage.uri}: structures or the model {self.model} were dropped while "
                "their predictions were read. Nothing was committed. Run the same command again."
            )

    def still_stands(self, old: Reader, new: Reader, added: Mapping[str, Integers]) -> bool:
        """Whether no other has added the same predictions since, or taken away what counts.

        Parameters
        ----------
        old, new
            The version the changes were planned on, and a newer one.
        added
            structure_id of the new predictions by dataset.
        """
        if old.state.table("models") != new.state.table("models"):
            return False
        for dataset, ids in added.items():
            if _paths(old, "structures", dataset) - _paths(new, "structures", dataset):
                return False
            before = _paths(old, "predictions", dataset, self.model)
            files = new.files("predictions", dataset=dataset, model=self.model)
            if before - {file.path for file in files}:
                return False  # what made frames duplicates may be gone
            more = [file for file in files if file.path not in before]
            there = new.columns("predictions", more, ("structure_id",))["structure_id"]
            if np.isin(there.to_numpy(), ids).any():
                return False
        return True


def _paths(reader: Reader, table: str, dataset: str, model: str | None = None) -> set[str]:
    return {file.path for file in reader.files(table, dataset=dataset, model=model)}
