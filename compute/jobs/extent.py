"""How much a request is about: chosen, missing, failed, and there in another type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from compute.jobs.chosen import choose, chosen_places
from compute.jobs.coverage import known_datasets
from compute.jobs.done import Done, DoneFiles
from compute.jobs.job import JobModel
from compute.jobs.missing import layer_names, missing_places
from compute.jobs.request import Request
from compute.models.catalogue import match_models
from compute.models.model import Model
from lake.counted import counted
from lake.errors import InvalidInputError
from lake.reader import Reader
from lake.rows.row_index import RowIndex


@dataclass(frozen=True)
class OtherType:
    """Predictions that are there, computed in another type than is asked for."""

    model: str
    dataset: str
    n: int
    there: str
    asked: str

    def text(self) -> str:
        """What they are, and what to do."""
        return (
            f"{self.n:,} predictions of {self.model} for {self.dataset} were computed in "
            f"{self.there}, and this asks for {self.asked}. They stay. To compute them anew, take "
            f"them out first: atomlake drop predictions {self.dataset} {self.model}"
        )


@dataclass
class Extent:
    """Results a request is about, those missing of them, and those that failed earlier.

    ``models`` are those of which some are missing. For ``chosen`` see `Job`.
    """

    n_chosen: int = 0
    n_missing: int = 0
    n_failed: int = 0
    models: list[Model] = field(default_factory=list)
    of_other_types: list[OtherType] = field(default_factory=list)
    chosen: Mapping[str, str] | None = None

    def nothing_text(self) -> str:
        """Why there is nothing to do."""
        if not self.n_chosen:
            text = "No structure is chosen: the condition or the shard fits none."
        elif not self.n_failed:
            text = "Nothing is missing."
        else:
            text = (
                f"Nothing is missing but {counted(self.n_failed, 'result')} that failed earlier; "
                "see 'atomlake compute retry --failed'."
            )
        return "\n".join([text, *(each.text() for each in self.of_other_types)])


def find_extent(reader: Reader, request: Request) -> Extent:
    """How much there is to do.

    Raises
    ------
    NotFoundError
        There is no such dataset or model.
    InvalidInputError
        The condition is not SQL, a model has no latents, or some are there in another type.
    """
    files = {
        dataset: reader.files("structures", dataset=dataset)
        for dataset in known_datasets(reader, request.datasets)
    }
    models = match_models(reader, request.models)
    indices = {dataset: RowIndex(reader.storage, "structures", files[dataset]) for dataset in files}
    extent = Extent(chosen=choose(reader, indices, request.where))
    for model in models:
        _add_model(extent, reader, request, model, indices)
    return extent


def _add_model(
    extent: Extent, reader: Reader, request: Request, model: Model, indices: Mapping[str, RowIndex]
) -> None:
    names = _layers(model, request.latents)
    of_model = JobModel.of(model)
    job = request.job(reader.storage.uri, (of_model,), chosen=extent.chosen)
    n_missing = 0
    for dataset, index in indices.items():
        done = DoneFiles(dataset, of_model).read(reader)
        _require_latent_types(done, names, model, dataset, request.latents_dtype)
        chosen = index.ids_at(chosen_places(job, dataset, index))
        extent.n_chosen += len(chosen)
        extent.n_failed += int(np.isin(chosen, done.failed).sum())
        n_missing += len(missing_places(job, dataset, index, done, names))
        if request.task == "predict":
            asked = request.dtype or model.dtype
            extent.of_other_types += [
                OtherType(model.name, dataset, n, there, str(asked))
                for there, n in done.other_types(chosen, asked).items()
            ]
    extent.n_missing += n_missing
    if n_missing:
        extent.models.append(model)


def _layers(model: Model, latents: str) -> tuple[str, ...]:
    names = tuple(layer_names(len(model.layers), latents).values())
    if latents != "none" and not names:
        raise InvalidInputError(
            f"Model {model.name} has no latents that engine {model.engine} can read. "
            "Expected a model with latents. Leave --latents out for it."
        )
    return names


def _require_latent_types(
    done: Done, layers: Sequence[str], model: Model, dataset: str, dtype: str
) -> None:
    others = done.other_latent_types(layers, dtype)
    if others:
        counts = [f"{n:,} of layer {layer} as {name}" for (layer, name), n in others.items()]
        raise InvalidInputError(
            f"Latents of {model.name} for {dataset} are there in another type than {dtype}: "
            f"{', '.join(counts)}. A layer of one dataset and model has one type. Give "
            f"--latents-dtype {next(iter(others))[1]}, or take them out first: "
            f"atomlake drop predictions {dataset} {model.name}"
        )
