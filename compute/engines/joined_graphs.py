"""Several structures as one graph without edges between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from compute.engines.engine import Floats, Graph, Integers
from lake.errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class JoinedGraphs:
    """Arrays of all structures, one after the other.

    ``numbers`` has shape (n_atoms,), ``positions`` (n_atoms, 3) in Å, ``cells`` (n_structures, 3,
    3) in Å, ``n_atoms`` and ``is_periodic`` (n_structures,), ``edge_index`` (2, n_edges), counting
    atoms of the whole, and ``shifts`` (n_edges, 3).
    """

    numbers: Integers
    positions: Floats
    cells: Floats
    pbc: NDArray[np.bool_]
    n_atoms: Integers
    is_periodic: NDArray[np.bool_]
    edge_index: Integers
    shifts: Floats

    @property
    def ptr(self) -> Integers:
        """Where the atoms of each structure begin, and the end. Shape (n_structures + 1,)."""
        return np.concatenate(([0], np.cumsum(self.n_atoms))).astype(np.int64)

    @property
    def batch(self) -> Integers:
        """Which structure every atom belongs to. Shape (n_atoms,)."""
        return np.repeat(np.arange(len(self.n_atoms)), self.n_atoms)


def join(graphs: Sequence[Graph]) -> JoinedGraphs:
    """Put structures one after the other.

    Raises
    ------
    InvalidInputError
        There are none.
    """
    if not graphs:
        raise InvalidInputError("A batch of no structures: at least one is expected.")
    n_atoms = np.array([graph.n_atoms for graph in graphs], np.int64)
    n_edges = [graph.n_edges for graph in graphs]
    starts = np.concatenate(([0], np.cumsum(n_atoms)[:-1]))
    edge_index = np.concatenate([graph.edge_index for graph in graphs], axis=1, dtype=np.int64)
    edge_index = np.ascontiguousarray(edge_index + np.repeat(starts, n_edges))
    return JoinedGraphs(
        numbers=np.concatenate([graph.numbers for graph in graphs], dtype=np.int64),
        positions=np.concatenate([graph.positions for graph in graphs], dtype=np.float64),
        cells=np.array([graph.cell for graph in graphs], np.float64),
        pbc=np.array([graph.pbc for graph in graphs], np.bool_),
        n_atoms=n_atoms,
        is_periodic=np.array([graph.is_periodic for graph in graphs], np.bool_),
        edge_index=edge_index,
        shifts=np.concatenate([graph.shifts for graph in graphs], dtype=np.float64),
    )


def edge_lengths(joined: JoinedGraphs) -> Floats:
    """Length of every edge. Shape (n_edges,), Å."""
    centre, neighbour = joined.edge_index
    cells = joined.cells[joined.batch[centre]]
    vectors = joined.positions[neighbour] - joined.positions[centre]
    vectors += np.einsum("ei,eij->ej", joined.shifts, cells)
    lengths: Floats = np.linalg.norm(vectors, axis=1)
    return lengths


def type_indices(numbers: Integers, type_of_number: Integers, elements: Sequence[str]) -> Integers:
    """The model's index of every atom. Shape (n_atoms,).

    Parameters
    ----------
    type_of_number
        The index of every atomic number, -1 where the model does not know it.

    Raises
    ------
    InvalidInputError
        The model does not know an element.
    """
    is_inside = (numbers >= 0) & (numbers < len(type_of_number))
    types = np.where(is_inside, type_of_number[np.where(is_inside, numbers, 0)], -1)
    if (types >= 0).all():
        return types.astype(np.int64)
    unknown = [_symbol(number) for number in np.unique(numbers[types < 0]).tolist()]
    raise InvalidInputError(
        f"The model does not know {', '.join(unknown)}; it knows {', '.join(elements)}. "
        "Choose structures of these elements, or another model."
    )


def numbers_to_types(type_of_symbol: dict[str, int]) -> Integers:
    """The index of every atomic number, -1 where there is none. Shape (119,)."""
    table = np.full(len(chemical_symbols), -1, np.int64)
    for symbol, index in type_of_symbol.items():
        table[chemical_symbols.index(symbol)] = index
    return table


def voigt(stress: Floats, is_periodic: NDArray[np.bool_]) -> Floats:
    """Stress of shape (n, 3, 3) in Voigt order, NaN where it means nothing. Shape (n, 6)."""
    symmetric = (stress + stress.transpose(0, 2, 1)) / 2
    rows: Floats = symmetric[:, (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
    rows[~is_periodic] = np.nan
    return rows


def _symbol(number: int) -> str:
    return chemical_symbols[number] if 0 < number < len(chemical_symbols) else str(number)
