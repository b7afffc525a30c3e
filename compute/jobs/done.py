"""What a model has done of a dataset, as a version of the lake says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compute.jobs.job import DTYPES, JobModel
from lake.reader import Reader

Ids = NDArray[np.int64]
Codes = NDArray[np.int8]

_NONE: Ids = np.empty(0, np.int64)
_NO_CODES: Codes = np.empty(0, np.int8)


@dataclass(frozen=True, eq=False)
class Done:
    """Ids of the structures of a dataset a model has results for, as one version of the lake says.

    ``predicted`` and ``failed`` stand in `predictions`; ``types`` has the index in `DTYPES` of what
    each of ``predicted`` was computed in, -1 where that is not known. ``latents`` maps the name of
    a layer to those in `embeddings`; ``latent_types`` counts them by layer and type.
    """

    predicted: Ids = field(default_factory=_NONE.copy)
    failed: Ids = field(default_factory=_NONE.copy)
    latents: Mapping[str, Ids] = field(default_factory=dict)
    types: Codes = field(default_factory=_NO_CODES.copy)
    latent_types: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def other_types(self, ids: Ids, dtype: str | None) -> dict[str, int]:
        """How many of some structures were predicted in another type than `dtype`, by type."""
        if dtype is None:
            return {}
        codes = self.types[np.isin(self.predicted, ids)]
        counts = {name: int((codes == i).sum()) for i, name in enumerate(DTYPES) if name != dtype}
        return {name: n for name, n in counts.items() if n}

    def other_latent_types(self, layers: Sequence[str], dtype: str) -> dict[tuple[str, str], int]:
        """How many latents of some layers are kept as another type, by layer and type."""
        return {
            (layer, name): n
            for (layer, name), n in self.latent_types.items()
            if layer in layers and name != dtype
        }


@dataclass(frozen=True, eq=False)
class PredictedFile:
    """The rows of one model in a file of predictions; for ``types`` see `Done`."""

    ids: Ids
    has_failed: NDArray[np.bool_]
    types: Codes


@dataclass(frozen=True, eq=False)
class EmbeddedFile:
    """The rows of one model in a file of embeddings: ids by layer and type."""

    ids: Mapping[tuple[str, str], Ids]


@dataclass
class DoneFiles:
    """Reads what is done, each data file once: they never change.

    ``predictions`` and ``embeddings`` hold what was read, by the path of the file.
    """

    dataset: str
    model: JobModel
    predictions: dict[str, PredictedFile] = field(default_factory=dict)
    embeddings: dict[str, EmbeddedFile] = field(default_factory=dict)

    def read(self, reader: Reader) -> Done:
        """What is done in one version of the lake."""
        files = self._predictions(reader)
        latents: dict[str, list[Ids]] = {}
        latent_types: Counter[tuple[str, str]] = Counter()
        for file in self._embeddings(reader):
            for (layer, dtype), ids in file.ids.items():
                latents.setdefault(layer, []).append(ids)
                latent_types[layer, dtype] += len(ids)
        return Done(
            np.concatenate([_NONE, *(file.ids[~file.has_failed] for file in files)]),
            np.concatenate([_NONE, *(file.ids[file.has_failed] for file in files)]),
            {layer: np.concatenate(parts) for layer, parts in latents.items()},
            np.concatenate([_NO_CODES, *(file.types[~file.has_failed] for file in files)]),
            latent_types,
        )

    def _predictions(self, reader: Reader) -> list[PredictedFile]:
        names = ("structure_id", "model_id", "status", "dtype")
        found = []
        for file in reader.files("predictions", dataset=self.dataset, model=self.model.name):
            if file.path not in self.predictions:
                rows = self._mine(reader.columns("predictions", [file], names))
                codes = pc.index_in(rows["dtype"], value_set=pa.array(DTYPES)).fill_null(-1)
                self.predictions[file.path] = PredictedFile(
                    rows["structure_id"].to_numpy(),
                    pc.equal(rows["status"], "failed").to_numpy(),
                    codes.to_numpy().astype(np.int8),
                )
            found.append(self.predictions[file.path])
        return found

    def _embeddings(self, reader: Reader) -> list[EmbeddedFile]:
        names = ("structure_id", "model_id", "layer", "dtype")
        found = []
        for file in reader.files("embeddings", dataset=self.dataset, model=self.model.name):
            if file.path not in self.embeddings:
                rows = self._mine(reader.columns("embeddings", [file], names))
                self.embeddings[file.path] = EmbeddedFile(_by_layer(rows))
            found.append(self.embeddings[file.path])
        return found

    def _mine(self, rows: pa.Table) -> pa.Table:
        """Rows of the model; another file may have had its name before."""
        return rows.filter(pc.equal(rows["model_id"], self.model.model_id))


def _by_layer(rows: pa.Table) -> dict[tuple[str, str], Ids]:
    kinds = rows.group_by(["layer", "dtype"]).aggregate([]).to_pylist()
    found = {}
    for kind in kinds:
        is_kind = pc.and_(
            pc.equal(rows["layer"], kind["layer"]), pc.equal(rows["dtype"], kind["dtype"])
        )
        found[kind["layer"], kind["dtype"]] = rows["structure_id"].filter(is_kind).to_numpy()
    return found
