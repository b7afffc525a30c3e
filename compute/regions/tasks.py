"""What a worker does: structures in, rows and counts out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from compute.regions.rows import label, region_rows
from compute.regions.scheme import Scheme
from compute.regions.structure import Structure
from lake.rows.row_index import Places
from lake.rows.row_reader import RowReader
from lake.structures.structure_arrays import StructureArrays

COLUMNS = (
    "dataset",
    "structure_id",
    "n_atoms",
    "numbers",
    "positions",
    "cell",
    "pbc",
    "config_type",
)
ROWS_AT_ONCE = 1024
TASK_ATOMS = 25_000
NO_REGIONS = "no regions"
_NUMBER = re.compile(r"(?<!\S)\d[\d.,]*(?=[%\s])")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows by scheme, and how many structures hold which kind of defect; ``reasons`` of the rest.

    `NO_REGIONS` among ``kinds`` counts those. Of ``n_too_large`` there are no rows: there was no
    memory for their neighbours.
    """

    rows: dict[str, pa.Table]
    kinds: Counter[str]
    reasons: Counter[str]
    n_atoms: int
    n_too_large: int


@dataclass(frozen=True)
class Labelling:
    """A scheme as a function of a group of structures, each with its id."""

    scheme: Scheme

    def __call__(self, structures: list[tuple[int, Structure]]) -> Labelled:
        """Rows of `regions` for them."""
        outcomes = label(self.scheme, structures)
        return Labelled(
            region_rows(self.scheme, outcomes),
            Counter(NO_REGIONS if o.regions is None else o.regions.defect_kind for o in outcomes),
            Counter(without_numbers(o.reason) for o in outcomes if o.reason is not None),
            sum(o.n_atoms for o in outcomes),
            len(structures) - len(outcomes),
        )


def without_numbers(reason: str) -> str:
    """A reason as structures share it that differ in numbers alone.

    Examples
    --------
    >>> without_numbers("not on the lattice: 43% of the atoms are near sites of Cu2O.cif")
    'not on the lattice: N% of the atoms are near sites of Cu2O.cif'
    """
    return _NUMBER.sub("N", reason)


def read_groups(rows: RowReader, places: Places) -> Iterator[list[tuple[int, Structure]]]:
    """The structures at some places, each with its id, in groups of about `TASK_ATOMS` atoms."""
    group: list[tuple[int, Structure]] = []
    n_atoms = 0
    for run in rows.index.runs(places):
        for start in range(0, len(run), ROWS_AT_ONCE):
            for identity, structure in _structures(rows, run[start : start + ROWS_AT_ONCE]):
                group.append((identity, structure))
                n_atoms += len(structure)
                if n_atoms >= TASK_ATOMS:
                    yield group
                    group, n_atoms = [], 0
    if group:
        yield group


def _structures(rows: RowReader, places: Places) -> Iterator[tuple[int, Structure]]:
    table = rows.take(places)
    arrays = StructureArrays.from_rows(table)
    kinds = table["config_type"].to_pylist()
    for i, identity in enumerate(table["structure_id"].to_pylist()):
        atoms = slice(arrays.offsets[i], arrays.offsets[i + 1])
        yield (
            identity,
            Structure(
                arrays.numbers[atoms],
                arrays.positions[atoms],
                arrays.cell[i],
                arrays.pbc[i],
                kinds[i],
            ),
        )
