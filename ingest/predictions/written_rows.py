"""Predictions that were written but not committed, compared with what the lake holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.predictions.landed_rows import PredictionRows
from ingest.predictions.neighbours import Pairs, in_parts
from ingest.predictions.numbers import Numbers, compare
from ingest.predictions.placed_rows import PlacedRows
from ingest.predictions.ragged import entries_of
from lake.log.data_files import DataFile
from lake.rows.row_groups import RowGroup, RowGroupCache, open_parquet
from lake.storage.storage import Storage

Integers = NDArray[np.int64]

COLUMNS = ("n_atoms", "energy", "forces", "stress")
CACHE_BYTES = 256 << 20


class WrittenRows:
    """Rows whose numbers are read again from their data files.

    Parameters
    ----------
    files
        The data files by number, as `rows.file` says.
    """

    def __init__(
        self, storage: Storage, files: Mapping[int, DataFile], rows: PredictionRows
    ) -> None:
        self.rows = rows
        self._places = _places(storage, files, rows.file)

    def numbers(self, rows: Integers) -> Numbers:
        """What some rows hold, in the order asked."""
        return Numbers.of(self._places.fetch(rows))

    def are_alike(self, one: int, other: int) -> bool:
        """Whether two rows of one structure are the same but for the digits of a text file."""
        if other in self._beside_first:
            first, is_alike = self._beside_first[other]
            if first == one:
                return is_alike
        pair = [self.numbers(np.array([row])) for row in (one, other)]
        return bool(compare(*pair).is_rounding[0])

    @cached_property
    def _beside_first(self) -> dict[int, tuple[int, bool]]:
        """Rows with other numbers than the first of their structure: that one, and how near.

        Compared all at once, because pair by pair each takes about a millisecond.
        """
        rows = self.rows
        order = np.lexsort((rows.frame, rows.source, rows.structure_id, rows.dataset))
        whose = np.stack((rows.dataset, rows.structure_id), axis=1)[order]
        starts = np.flatnonzero(np.append(True, (np.diff(whose, axis=0) != 0).any(axis=1)))
        first = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
        differs = rows.check[first] != rows.check[order]
        pairs = Pairs(first[differs], order[differs])
        found: dict[int, tuple[int, bool]] = {}
        for part in in_parts(pairs, rows.n_atoms):
            some = pairs.take(part)
            alike = compare(self.numbers(some.frame), self.numbers(some.row)).is_rounding
            which = zip(some.frame.tolist(), alike.tolist(), strict=True)
            found |= dict(zip(some.row.tolist(), which, strict=True))
        return found

    def beside(
        self, which: Integers, stored: Iterable[pa.Table]
    ) -> Iterator[tuple[Integers, Numbers, Numbers]]:
        """Rows with what the lake holds of the same structures, some at a time.

        Parameters
        ----------
        which
            The rows. Shape (m,).
        stored
            Tables with structure_id and `COLUMNS`.

        Yields
        ------
        tuple[Integers, Numbers, Numbers]
            Rows, what they hold, and what stands in the lake. A row comes once for each row of the
            lake with its structure.
        """
        which = which[np.argsort(self.rows.structure_id[which], kind="stable")]
        ids = self.rows.structure_id[which]
        for table in stored:
            there = table["structure_id"].to_numpy()
            bounds = np.stack(
                [np.searchsorted(ids, there, side=side) for side in ("left", "right")], axis=1
            )
            row = np.repeat(np.arange(len(there)), np.diff(bounds)[:, 0])
            mine = which[entries_of(bounds.reshape(-1), 2 * np.arange(len(there)))]
            pairs = Pairs(row, mine)
            for part in in_parts(pairs, table["n_atoms"].to_numpy().astype(np.int64)):
                at = table.take(pa.array(row[part]))
                yield mine[part], self.numbers(mine[part]), Numbers.of(at)


def _places(storage: Storage, files: Mapping[int, DataFile], file: Integers) -> PlacedRows:
    """Where rows lie that stand in each file in their order here."""
    groups: list[RowGroup] = []
    group, number = np.empty(len(file), np.int64), np.empty(len(file), np.int64)
    for key, each in files.items():
        path = f"predictions/{each.path}"
        with open_parquet(storage, path) as parquet:
            metadata = parquet.metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        mine = file == key
        group[mine] = len(groups) + np.repeat(np.arange(len(sizes)), sizes)
        number[mine] = np.concatenate([np.arange(size) for size in sizes])
        groups += [RowGroup(path, i) for i in range(len(sizes))]
    return PlacedRows(RowGroupCache(storage, COLUMNS, CACHE_BYTES), groups, group, number)
