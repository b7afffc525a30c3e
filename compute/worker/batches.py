"""Batches of structures, cut by how many atoms and edges a device takes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from compute.engines.engine import Graph

Item = TypeVar("Item")

# What an atom costs beside an edge: node features weigh a few times those of an edge.
EDGES_PER_ATOM = 4


@dataclass(frozen=True, eq=False)
class Member:
    """One structure of a batch."""

    structure_id: int
    graph: Graph

    @property
    def load(self) -> int:
        """What it costs a device, in edges."""
        return self.graph.n_edges + EDGES_PER_ATOM * self.graph.n_atoms


@dataclass(frozen=True)
class Budget:
    """What goes into one batch at most: ``load`` counts edges, and atoms as a few edges each."""

    load: int
    structures: int | None = None

    def admits(self, n: int, load: int) -> bool:
        """Whether `n` structures of this load in all fit."""
        return load <= self.load and (self.structures is None or n <= self.structures)


def cut(
    items: Iterable[Member | Item], budget: Callable[[], Budget]
) -> Iterator[list[Member] | Item]:
    """Batches in the order of the structures, each as full as the budget of the moment allows.

    A structure beyond the budget makes a batch of its own. What is no structure passes at once.
    """
    batch: list[Member] = []
    load = 0
    for item in items:
        if not isinstance(item, Member):
            yield item
            continue
        if batch and not budget().admits(len(batch) + 1, load + item.load):
            yield batch
            batch, load = [], 0
        batch.append(item)
        load += item.load
    if batch:
        yield batch


def halves(batch: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """Two batches of about the same load, neither empty."""
    total = sum(member.load for member in batch)
    load = 0
    for i, member in enumerate(batch[:-1], start=1):
        load += member.load
        if 2 * load >= total:
            return list(batch[:i]), list(batch[i:])
    return list(batch[:-1]), list(batch[-1:])


def load_of(batch: Sequence[Member]) -> int:
    """What a batch costs a device, in edges."""
    return sum(member.load for member in batch)
