"""Structures on their way from the lake to batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from compute.engines.engine import Floats, Graph, Integers, ModelFacts
from compute.engines.neighbours import WIDEST_MOLECULE, build_graph, build_molecules
from compute.worker.batches import Member
from compute.worker.outcomes import Failure
from lake.errors import InvalidInputError
from lake.rows.row_index import Places
from lake.rows.row_reader import RowReader
from lake.structures.structure_arrays import StructureArrays

COLUMNS = ("dataset", "structure_id", "n_atoms", "numbers", "positions", "cell", "pbc")
ROWS_AT_ONCE = 1024
GROUP_ATOMS = 2_000  # so many are prepared in one go: a thread's task costs about a small molecule


@dataclass(frozen=True, eq=False)
class Structure:
    """A structure as it stands in the lake; for the shapes see `Graph`."""

    structure_id: int
    numbers: Integers
    positions: Floats
    cell: Floats
    pbc: NDArray[np.bool_]


def read_groups(rows: RowReader, places: Places) -> Iterator[list[Structure]]:
    """The structures at some places, in groups of about `GROUP_ATOMS` atoms."""
    group: list[Structure] = []
    n_atoms = 0
    for run in rows.index.runs(places):
        for start in range(0, len(run), ROWS_AT_ONCE):
            for structure in _structures(rows, run[start : start + ROWS_AT_ONCE]):
                group.append(structure)
                n_atoms += len(structure.numbers)
                if n_atoms >= GROUP_ATOMS:
                    yield group
                    group, n_atoms = [], 0
    if group:
        yield group


def _structures(rows: RowReader, places: Places) -> Iterator[Structure]:
    table = rows.take(places)
    arrays = StructureArrays.from_rows(table)
    for i, structure_id in enumerate(table["structure_id"].to_pylist()):
        atoms = slice(arrays.offsets[i], arrays.offsets[i + 1])
        yield Structure(
            structure_id,
            arrays.numbers[atoms],
            arrays.positions[atoms],
            arrays.cell[i],
            arrays.pbc[i],
        )


def prepare(structures: Sequence[Structure], facts: ModelFacts) -> list[Member | Failure]:
    """The structures with their neighbours, or why the model cannot have them."""
    molecules = _prepare_molecules(structures, facts)
    return [molecules.get(id(each)) or _prepare_one(each, facts) for each in structures]


def _prepare_molecules(structures: Sequence[Structure], facts: ModelFacts) -> dict[int, Member]:
    """Those that could be searched together, by the `id` of the structure."""
    small = [] if facts.r_max is None else [s for s in structures if _is_small(s, facts)]
    if len(small) < 2 or facts.r_max is None:
        return {}
    try:
        graphs = build_molecules(
            [each.numbers for each in small],
            [each.positions for each in small],
            [each.cell for each in small],
            facts.r_max,
        )
    except (InvalidInputError, MemoryError):
        return {}  # alone, each says for itself what is wrong with it
    return {
        id(each): Member(each.structure_id, graph)
        for each, graph in zip(small, graphs, strict=True)
    }


def _is_small(structure: Structure, facts: ModelFacts) -> bool:
    """Whether it is a molecule that can be searched together with others."""
    positions = structure.positions
    return (
        not structure.pbc.any()
        and bool((np.ptp(positions, axis=0) < WIDEST_MOLECULE).all())  # false for NaN
        and not _unknown_elements(structure.numbers, facts)
    )


def _prepare_one(structure: Structure, facts: ModelFacts) -> Member | Failure:
    unknown = _unknown_elements(structure.numbers, facts)
    if unknown:
        return Failure(
            structure.structure_id,
            len(structure.numbers),
            f"the model does not know {', '.join(unknown)}; it knows "
            f"{', '.join(sorted(facts.elements or ()))}",
        )
    if facts.r_max is None:
        return Member(structure.structure_id, _without_edges(structure))
    try:
        graph = build_graph(
            structure.numbers, structure.positions, structure.cell, structure.pbc, facts.r_max
        )
    except InvalidInputError as error:
        return Failure(structure.structure_id, len(structure.numbers), str(error))
    except MemoryError:
        n_atoms = len(structure.numbers)
        reason = f"no memory for the neighbours of its {n_atoms} atoms within {facts.r_max:g} Å"
        return Failure(structure.structure_id, n_atoms, reason)
    return Member(structure.structure_id, graph)


def _unknown_elements(numbers: Integers, facts: ModelFacts) -> list[str]:
    if facts.elements is None or _known(facts.elements)[numbers].all():
        return []
    there = {chemical_symbols[number] for number in np.unique(numbers).tolist()}
    return sorted(there - set(facts.elements))


@cache
def _known(elements: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether each atomic number is one of the elements. Shape (119,)."""
    return np.isin(np.array(chemical_symbols), elements)


def _without_edges(structure: Structure) -> Graph:
    return Graph(
        structure.numbers,
        structure.positions,
        structure.cell,
        structure.pbc,
        np.empty((2, 0), np.int64),
        np.empty((0, 3)),
    )
