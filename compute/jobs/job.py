"""A job: everything a worker in another environment must know, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from compute.jobs.choices import Choices, Limits, Shard
from compute.models.model import Model
from lake.errors import InvalidInputError
from lake.version import __version__

Task = Literal["predict", "latents"]
LATENTS = ("none", "last", "all")
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class JobModel:
    """A registered model, as far as a worker must know it."""

    name: str
    model_id: int
    engine: str
    path: str
    sha256: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model) -> JobModel:
        """That of a registered model."""
        return cls(
            model.name, model.model_id, model.engine, model.path, model.sha256, model.options
        )


@dataclass(frozen=True)
class Job(Choices):
    """Models to be evaluated on what is missing of some datasets, on one device.

    ``chosen`` has, where there is a condition, the ids of the structures that fulfil it, by dataset
    and as `pack_ids` makes them: so a worker needs no DuckDB. The condition itself is for the log.
    """

    job_id: str
    lake: str
    task: Task
    models: tuple[JobModel, ...]
    datasets: tuple[str, ...]
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold keys
    chosen: Mapping[str, str] | None = field(default=None, repr=False)
    version: str = __version__

    def as_json(self) -> str:
        """The job as the worker reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job somebody wrote with `as_json`.

        Raises
        ------
        InvalidInputError
            It is no job, or was written by another version of atomlake.
        """
        try:
            fields = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise InvalidInputError(
                f"The job on standard input is no JSON object: {error}. Expected what 'atomlake "
                "compute' hands to its workers. Run that command instead."
            ) from None
        if fields.get("version") != __version__:
            raise InvalidInputError(
                f"The job was made by atomlake {fields.get('version')}, and the environment of the "
                f"model has {__version__}. Install the same version in both."
            )
        fields["models"] = tuple(JobModel(**model) for model in fields["models"])
        fields["datasets"] = tuple(fields["datasets"])
        fields["shard"] = Shard(**fields["shard"])
        fields["limits"] = Limits(**fields["limits"])
        return cls(**fields)

    def arguments(self) -> dict[str, Any]:
        """What a row of ``commits`` says of the job; nothing secret."""
        said = {
            "where": self.where,
            "latents": self.latents if self.latents != "none" else None,
            "latents_dtype": self.latents_dtype if self.latents != "none" else None,
            "dtype": self.dtype,
            "shard": str(self.shard) if self.shard.of > 1 else None,
            "only_failed": self.only_failed or None,
        }
        return {"job_id": self.job_id} | {k: v for k, v in said.items() if v is not None}
