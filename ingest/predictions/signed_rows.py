"""Rows of a table with a signature each, to find those near to a frame and read them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.predictions.neighbours import Pairs, near_pairs
from ingest.predictions.placed_rows import PlacedRows
from lake.reader import Reader
from lake.rows.row_groups import RowGroup, RowGroupCache, open_parquet

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CACHE_BYTES = 256 << 20


@dataclass(frozen=True)
class SignedTable:
    """A table whose rows get signatures.

    Attributes
    ----------
    columns
        What `sign` and a comparison need besides structure_id and n_atoms.
    filled
        A column that must not be NULL, or None.
    sign
        Signatures of some rows. Shape (m, d).
    """

    name: str
    columns: tuple[str, ...]
    filled: str | None
    sign: Callable[[pa.Table], Floats]


class SignedRows:
    """The n rows of some datasets that have one of these numbers of atoms.

    Only signatures are kept; what they were made of is read again, row group by row group.

    Attributes
    ----------
    structure_id
        Shape (n,).
    """

    def __init__(
        self, reader: Reader, table: SignedTable, datasets: Sequence[str], n_atoms: Integers
    ) -> None:
        groups: list[RowGroup] = []
        group, row = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        ids, values = [np.empty(0, np.int64)], []
        for place in _row_groups(reader, table, datasets):
            at, rows = _with_n_atoms(reader, place, table, n_atoms)
            if len(at):
                group.append(np.full(len(at), len(groups)))
                row.append(at)
                ids.append(rows["structure_id"].to_numpy())
                values.append(table.sign(rows))
                groups.append(place)
        self.structure_id = np.concatenate(ids)
        cache = RowGroupCache(reader.storage, ["n_atoms", *table.columns], CACHE_BYTES)
        self._places = PlacedRows(cache, groups, np.concatenate(group), np.concatenate(row))
        self._values = np.concatenate(values) if values else None

    def __len__(self) -> int:
        return len(self.structure_id)

    @cached_property
    def _tree(self) -> object:
        from scipy.spatial import KDTree

        return KDTree(self._values)

    def near(self, signatures: Floats, radius: float) -> Pairs:
        """Frames and rows whose signatures differ by no more than `radius` in any number.

        Parameters
        ----------
        signatures
            Of the frames. Shape (k, d).
        """
        if self._values is None:
            return Pairs.none()
        pairs = near_pairs(signatures, self._tree, radius)
        # One row group after the other, so that each is decoded once.
        return pairs.take(np.argsort(self._places.group[pairs.row], kind="stable"))

    def fetch(self, rows: Integers) -> pa.Table:
        """The columns of some rows, in the order asked."""
        return self._places.fetch(rows)


def _row_groups(reader: Reader, table: SignedTable, datasets: Sequence[str]) -> Iterator[RowGroup]:
    for dataset in datasets:
        for file in reader.files(table.name, dataset=dataset):
            path = f"{table.name}/{file.path}"
            with open_parquet(reader.storage, path) as parquet:
                n_groups = parquet.num_row_groups
            for number in range(n_groups):
                yield RowGroup(path, number)


def _with_n_atoms(
    reader: Reader, place: RowGroup, table: SignedTable, n_atoms: Integers
) -> tuple[NDArray[np.intp], pa.Table]:
    """The rows of a row group with one of these numbers of atoms, and their numbers in it."""
    with open_parquet(reader.storage, place.path) as parquet:
        names = ["structure_id", "n_atoms", *table.columns]
        rows = parquet.read_row_group(place.number, columns=names)
    mask = pc.is_in(rows["n_atoms"], value_set=pa.array(n_atoms, pa.int32()))
    if table.filled is not None:
        mask = pc.and_(mask, pc.is_valid(rows[table.filled]))
    return np.flatnonzero(mask.to_numpy()), rows.filter(mask)
