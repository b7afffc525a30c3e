"""A job: everything a worker in another environment must know, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lake.errors import InvalidInputError
from lake.version import __version__

Task = Literal["predict", "latents"]
LATENTS = ("none", "last", "all")
DTYPES = ("float32", "float64")
COMMIT_EVERY_S = 60.0
COMMIT_ATOMS = 2_000_000
MOST_SHARDS = 1_000_000


@dataclass(frozen=True)
class Shard:
    """One of several parts of the structures, told apart by their ids; ``number`` begins at 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard ``K/N``.

        Raises
        ------
        InvalidInputError
            It is not two whole numbers with 1 <= K <= N, or N is beyond `MOST_SHARDS`.
        """
        number, slash, of = text.partition("/")
        if not (slash and number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
            raise InvalidInputError(f"Shard {text!r}: expected K/N, e.g. 1/8.")
        if len(of) > len(str(MOST_SHARDS)) or int(of) > MOST_SHARDS:
            raise InvalidInputError(
                f"Shard {text[:40]}: expected K/N with N of at most {MOST_SHARDS:,}, e.g. 1/8."
            )
        shard = cls(int(number), int(of))
        if not 1 <= shard.number <= shard.of:
            raise InvalidInputError(f"Shard {text}: expected K from 1 to N, e.g. 1/8 … 8/8.")
        return shard

    def part(self, number: int, of: int) -> Shard:
        """Part `number` of `of`, from 1, of this shard."""
        return Shard(self.number + (number - 1) * self.of, self.of * of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class JobModel:
    """A registered model, as far as a worker must know it."""

    name: str
    model_id: int
    engine: str
    path: str
    sha256: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """How much is computed at once, and how often it is committed.

    ``max_edges`` and ``batch`` bound a batch of structures; None lets the worker find out.
    ``max_memory`` bounds the worker's own memory, in bytes.
    """

    max_edges: int | None = None
    batch: int | None = None
    max_memory: int | None = None
    commit_every_s: float = COMMIT_EVERY_S
    commit_atoms: int = COMMIT_ATOMS


@dataclass(frozen=True)
class Job:
    """Models to be evaluated on what is missing of some datasets, on one device."""

    job_id: str
    lake: str
    task: Task
    models: tuple[JobModel, ...]
    datasets: tuple[str, ...]
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold keys
    where: str | None = None
    latents: str = "none"
    latents_dtype: str = "float32"
    device: str = "auto"
    dtype: str | None = None
    shard: Shard = field(default_factory=Shard)
    limits: Limits = field(default_factory=Limits)
    only_failed: bool = False
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
