"""What somebody wants computed, before it is split into jobs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from compute.jobs.job import DTYPES, LATENTS, Limits, Shard, Task
from lake.errors import InvalidInputError
from lake.latents.latent_writer import DTYPES as LATENT_DTYPES

MOST_MEMORY = 2**50  # bytes; the system cannot be told of much more


@dataclass(frozen=True)
class Request:
    """Models on datasets.

    Parameters
    ----------
    task
        ``predict``: energies, forces, stress and, if wanted, latents; ``latents``: these alone.
    datasets
        Names of datasets.
    models
        Names of models, or patterns such as ``mace-*``.
    where
        SQL condition on the structures, over the columns of structures and labels.
    latents
        Layers to keep: ``none``, ``last`` or ``all``.
    latents_dtype
        What they are kept as: ``float32`` or ``float16``.
    device
        ``auto``, ``cpu``, ``cuda`` for every GPU there is, or ``cuda:n``.
    dtype
        Type to compute in: ``float32`` or ``float64``; that of the model by default.
    only_failed
        Only structures that failed earlier.
    """

    task: Task
    datasets: Sequence[str]
    models: Sequence[str]
    where: str | None = None
    latents: str = "none"
    latents_dtype: str = "float32"
    device: str = "auto"
    dtype: str | None = None
    shard: Shard = field(default_factory=Shard)
    limits: Limits = field(default_factory=Limits)
    only_failed: bool = False

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises
        ------
        InvalidInputError
            An option has none of the values it may have.
        """
        _check_one_of("latents", self.latents, LATENTS)
        _check_one_of("latents_dtype", self.latents_dtype, LATENT_DTYPES)
        if self.dtype is not None:
            _check_one_of("dtype", self.dtype, DTYPES)
        if self.task == "latents" and self.latents == "none":
            raise InvalidInputError("latents: none is wanted. Expected last or all.")
        if not self.datasets or not self.models:
            raise InvalidInputError("Expected at least one dataset and one model.")
        limits = self.limits
        for name in ("max_edges", "batch", "max_memory", "commit_atoms", "commit_every_s"):
            value = getattr(limits, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise InvalidInputError(f"{name}: {value}. Expected a number above 0.")
        if limits.max_memory is not None and limits.max_memory > MOST_MEMORY:
            raise InvalidInputError(
                f"max_memory: {limits.max_memory}. Expected at most a petabyte."
            )


def _check_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InvalidInputError(f"{name}: {value!r}. Expected one of {', '.join(allowed)}.")
