"""What somebody wants computed, before it is split into jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compute.jobs.choices import Choices
from compute.jobs.devices import check_device
from compute.jobs.job import DTYPES, LATENTS, Job, JobModel, Task
from lake.errors import InvalidInputError
from lake.latents.latent_writer import DTYPES as LATENT_DTYPES

MOST_MEMORY = 2**50  # bytes; the system cannot be told of much more


@dataclass(frozen=True)
class Request(Choices):
    """Models on datasets; `Choices` says what else may be chosen.

    Parameters
    ----------
    task
        ``predict``: energies, forces, stress and, if wanted, latents; ``latents``: these alone.
    datasets
        Names of datasets.
    models
        Names of models, or patterns such as ``mace-*``.
    """

    task: Task
    datasets: Sequence[str]
    models: Sequence[str]

    def job(
        self,
        uri: str,
        models: Sequence[JobModel],
        job_id: str = "",
        chosen: Mapping[str, str] | None = None,
    ) -> Job:
        """What a worker must know to do this for some models, on a lake without keys."""
        datasets = tuple(dict.fromkeys(self.datasets))
        return Job(job_id, uri, self.task, tuple(models), datasets, chosen=chosen, **self.choices())

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises
        ------
        InvalidInputError
            An option has none of the values it may have.
        """
        _check_one_of("latents", self.latents, LATENTS)
        _check_one_of("latents_dtype", self.latents_dtype, LATENT_DTYPES)
        check_device(self.device)
        if self.dtype is not None:
            _check_one_of("dtype", self.dtype, DTYPES)
        if self.task == "latents" and self.latents == "none":
            raise InvalidInputError("latents: none is wanted. Expected last or all.")
        if self.where is not None and not self.where.strip():
            raise InvalidInputError(
                f"--where {self.where!r} is empty. Expected an SQL condition over the columns of "
                "structures or labels, e.g. 'n_atoms < 100'. Leave it out to choose all structures."
            )
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
