"""What every engine offers: structures in, energies, forces, stress and latents out, in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lake.errors import JobFailedError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class OutOfMemoryError(MemoryError):
    """The device has no room for the batch; a smaller one may fit."""


class EvaluationError(JobFailedError):
    """Something in the batch makes the model fail; others may be well."""


@dataclass(frozen=True)
class ModelFacts:
    """What a model file says of itself.

    ``elements`` are chemical symbols, None where any may be given; ``r_max`` the cutoff in Å, None
    where the engine finds neighbours itself; ``dtype`` the type of the weights; ``layers`` the
    number of features of each layer of latents, first layer first, empty where there are none;
    ``config`` everything else worth keeping, as JSON can hold it.
    """

    elements: tuple[str, ...] | None = None
    r_max: float | None = None
    dtype: str | None = None
    n_parameters: int | None = None
    layers: tuple[int, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """A structure and its neighbours.

    ``numbers`` has shape (n_atoms,), ``positions`` (n_atoms, 3) in Å, ``cell`` (3, 3) in Å with
    lattice vectors as rows, ``pbc`` (3,). ``edge_index`` has shape (2, n_edges): centre and
    neighbour; ``shifts`` (n_edges, 3) counts the lattice vectors between them, so that the edge is
    ``positions[neighbour] - positions[centre] + shifts @ cell``. Both are empty where the engine
    finds neighbours itself.
    """

    numbers: Integers
    positions: Floats
    cell: Floats
    pbc: NDArray[np.bool_]
    edge_index: Integers
    shifts: Floats

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.numbers)

    @property
    def n_edges(self) -> int:
        """Number of edges, each direction counted."""
        return int(self.edge_index.shape[1])

    @property
    def is_periodic(self) -> bool:
        """Whether a stress is defined: periodic somewhere, with a volume."""
        return bool(self.pbc.any()) and abs(float(np.linalg.det(self.cell))) > 0.0


@dataclass(frozen=True)
class Wanted:
    """What is wanted besides the energy; ``layers`` are indices into `ModelFacts.layers`."""

    forces: bool = True
    layers: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Results:
    """What a model says of a batch, the structures in the order they were given.

    ``energy`` has shape (n_structures,), eV; ``forces`` (n_atoms, 3), eV/Å, atoms of all structures
    one after the other; ``stress`` (n_structures, 6), eV/Å³, Voigt order xx, yy, zz, yz, xz, xy
    with the sign ASE has, rows of NaN for structures without a stress. ``latents`` maps the index
    of a layer to an array of shape (n_atoms, n_features), float32 or float64. ``forces`` and
    ``stress`` are None where they were not wanted or the engine has none. ``has_stress`` says for
    which structures there is one, shape (n_structures,); None: for all that are periodic.
    """

    energy: Floats
    forces: Floats | None
    stress: Floats | None
    latents: Mapping[int, NDArray[Any]]
    has_stress: NDArray[np.bool_] | None = None


class Engine(Protocol):
    """A model on a device.

    An engine is used by one process; `collate` is called in a thread beside `evaluate`.
    """

    facts: ModelFacts
    device_name: str

    def latent_definition(self, layer: int) -> Mapping[str, Any]:
        """Which numbers the latent of a layer is: engine, layer, columns and pooling."""
        ...

    def collate(self, graphs: Sequence[Graph]) -> Any:
        """Put structures into the form `evaluate` takes, on the host.

        Raises
        ------
        MemoryError
            The host has no room for it.
        """
        ...

    def evaluate(self, batch: Any, wanted: Wanted) -> Results:
        """Compute, in one forward pass.

        Raises
        ------
        OutOfMemoryError
            The device has no room for it. The engine can be used on.
        EvaluationError
            The model failed. The engine can be used on.
        JobFailedError
            The device failed, and with it every later batch would.
        """
        ...

    def memory_bytes(self) -> tuple[int, int] | None:
        """Greatest use of the device's memory so far and what there is; None where unknown."""
        ...
