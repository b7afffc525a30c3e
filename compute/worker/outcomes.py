"""What becomes of structures that are evaluated: numbers, or a reason why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute.engines.engine import Engine, EvaluationError, Results, Wanted
from compute.worker.batches import Member, halves, load_of
from compute.worker.budget import AdaptiveBudget


@dataclass(frozen=True)
class Failure:
    """A structure that has no result, and why."""

    structure_id: int
    n_atoms: int
    reason: str


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A batch with its results; ``reasons`` says of some of its members why they have none."""

    batch: Sequence[Member]
    results: Results
    reasons: Mapping[int, str] = field(default_factory=dict)

    @property
    def n_atoms(self) -> NDArray[np.int64]:
        """Atoms of each member. Shape (n_structures,)."""
        return np.array([member.graph.n_atoms for member in self.batch], np.int64)

    @property
    def has_stress(self) -> NDArray[np.bool_]:
        """Whether there is a stress for each member. Shape (n_structures,)."""
        return _has_stress(self.batch, self.results)


def evaluate(
    engine: Engine,
    batch: Sequence[Member],
    collated: Any,
    wanted: Wanted,
    budget: AdaptiveBudget,
    largest_latent: float = np.inf,
) -> Iterator[Evaluated | Failure]:
    """Evaluate a batch; in smaller ones where it does not fit or something in it fails.

    Parameters
    ----------
    collated
        What `Engine.collate` made of the batch; None where it failed.
    largest_latent
        What the type can hold in which latents are kept.
    """
    try:
        results = _results(engine, batch, collated, wanted)
    except MemoryError:  # also that of numpy, while the batch is put together
        budget.overflowed(load_of(batch))
        if len(batch) == 1:
            yield _too_large(engine, batch[0])
            return
    except EvaluationError as error:
        if len(batch) == 1:
            member = batch[0]
            yield Failure(member.structure_id, member.graph.n_atoms, str(error))
            return
    else:
        budget.fitted(load_of(batch))
        yield Evaluated(batch, results, _unusable(batch, results, largest_latent))
        return
    del collated
    for half in halves(batch):
        yield from evaluate(engine, half, None, wanted, budget, largest_latent)


def _results(engine: Engine, batch: Sequence[Member], collated: Any, wanted: Wanted) -> Results:
    if collated is None:
        collated = engine.collate([member.graph for member in batch])
    return engine.evaluate(collated, wanted)


def _too_large(engine: Engine, member: Member) -> Failure:
    graph = member.graph
    return Failure(
        member.structure_id,
        graph.n_atoms,
        f"does not fit into the memory of {engine.device_name}, alone: {graph.n_atoms} atoms, "
        f"{graph.n_edges} edges",
    )


def _has_stress(batch: Sequence[Member], results: Results) -> NDArray[np.bool_]:
    if results.stress is None:
        return np.zeros(len(batch), bool)
    is_periodic = np.array([member.graph.is_periodic for member in batch], bool)
    return is_periodic if results.has_stress is None else is_periodic & results.has_stress


def _unusable(batch: Sequence[Member], results: Results, largest_latent: float) -> dict[int, str]:
    """Members whose numbers are none, or too large to keep, and which."""
    of_atom = np.repeat(np.arange(len(batch)), [member.graph.n_atoms for member in batch])
    wrong: dict[int, list[str]] = {}

    def note(what: str, members: NDArray[np.int64]) -> None:
        for member in np.unique(members).tolist():
            wrong.setdefault(member, []).append(what)

    note("NaN or infinity as energy", np.flatnonzero(~np.isfinite(results.energy)))
    if results.forces is not None:
        note("NaN or infinity in forces", of_atom[~np.isfinite(results.forces).all(axis=1)])
    if results.stress is not None:
        given = _has_stress(batch, results)
        is_finite = np.isfinite(results.stress).all(axis=1)
        note("NaN or infinity in stress", np.flatnonzero(given & ~is_finite))
    for layer, latents in results.latents.items():
        is_finite = np.isfinite(latents).all(axis=1)
        note(f"NaN or infinity in latents of layer {layer}", of_atom[~is_finite])
        is_large = is_finite & (np.abs(latents) > largest_latent).any(axis=1)
        note(f"latents of layer {layer} beyond {largest_latent:g}", of_atom[is_large])
    return {member: f"the model gave {', '.join(what)}" for member, what in wrong.items()}
