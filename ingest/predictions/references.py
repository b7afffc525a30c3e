"""Reference labels that a file gives under plain keys, where predictions were expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.labels.seen_keys import SeenKeys
from ingest.predictions.numbers import TELLING_FORCE, compare, is_near
from ingest.predictions.written_rows import COLUMNS, WrittenRows
from lake.errors import InvalidInputError
from lake.reader import Reader
from lake.storage.arrow_input import open_parquet_input

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# A good model may come as near on some structures, small ones and symmetric ones above all.
MOST_ALIKE = 0.5
_BATCH_ROWS = 4096
_SHOWN_KEYS = 8


@dataclass(frozen=True, eq=False)
class _Tally:
    """Of n written rows, those that could be told from a label, and those equal to one."""

    is_compared: Booleans
    is_equal: Booleans

    @classmethod
    def empty(cls, n: int) -> _Tally:
        return cls(np.zeros(n, np.bool_), np.zeros(n, np.bool_))

    def add(self, rows: Integers, is_telling: Booleans, apart: NDArray[np.float64]) -> None:
        """Count rows beside a label each; NaN and infinity mean that one of them has no number."""
        counts = is_telling & np.isfinite(apart)
        self.is_compared[rows[counts]] = True
        self.is_equal[rows[counts & is_near(apart)]] = True

    def of(self, rows: Booleans) -> tuple[int, int]:
        """How many of some rows are equal to a label, and of how many this can be told."""
        return int(self.is_equal[rows].sum()), int(self.is_compared[rows].sum())


def check_no_references(
    reader: Reader,
    datasets: Sequence[str],
    written: WrittenRows,
    keys: Mapping[str, str],
    seen: SeenKeys,
    uri: Callable[[int], str],
) -> None:
    """Refuse files whose plain keys hold the labels of the structures, and not predictions.

    That is so where, in a file, the energies or the forces of more than half of the structures are
    those of a label, as near as text files round. Forces that vanish and lone atoms tell nothing.

    Parameters
    ----------
    datasets
        Names of the datasets that `written.rows` counts.
    keys
        The key each label was taken from.
    seen
        All keys of the frames.
    uri
        Name of a source.

    Raises
    ------
    InvalidInputError
        They do in some file.
    """
    tallies = _tallies(reader, datasets, written)
    for index in np.unique(written.rows.source).tolist():
        mine = written.rows.source == index
        counts = {label: tally.of(mine) for label, tally in tallies.items()}
        equal = {label: n for label, n in counts.items() if n[0] > MOST_ALIKE * n[1]}
        if equal:
            raise InvalidInputError(_message(uri(index), equal, keys, seen))


def _tallies(reader: Reader, datasets: Sequence[str], written: WrittenRows) -> dict[str, _Tally]:
    rows = written.rows
    energy, forces = _Tally.empty(len(rows)), _Tally.empty(len(rows))
    for dataset in np.unique(rows.dataset).tolist():
        mine = np.flatnonzero(rows.dataset == dataset)
        stored = _labels(reader, datasets[dataset], rows.structure_id[mine])
        for which, here, there in written.beside(mine, stored):
            apart = compare(here, there)
            energy.add(which, there.n_atoms > 1, apart.energy)
            forces.add(which, there.greatest_force > TELLING_FORCE, apart.forces)
    return {"energy": energy, "forces": forces}


def _labels(reader: Reader, dataset: str, structure_id: Integers) -> Iterator[pa.Table]:
    wanted = pa.array(np.unique(structure_id))
    for file in reader.files("labels", dataset=dataset):
        with open_parquet_input(reader.storage, f"labels/{file.path}") as source:
            for batch in source.iter_batches(
                _BATCH_ROWS,
                columns=["structure_id", *COLUMNS],
                use_threads=reader.storage.is_local,
            ):
                table = pa.Table.from_batches([batch])
                yield table.filter(pc.is_in(table["structure_id"], value_set=wanted))


def _message(
    uri: str, equal: Mapping[str, tuple[int, int]], keys: Mapping[str, str], seen: SeenKeys
) -> str:
    found = " and ".join(
        f"{keys[label]} is the reference {label} in {n:,} of {of:,} structures"
        for label, (n, of) in equal.items()
    )
    others = sorted((seen.info | seen.arrays) - set(keys.values()))[:_SHOWN_KEYS]
    there = f"Other keys are: {', '.join(others)}. " if others else "There are no other keys. "
    meant = " ".join(f"--map {label}={key}" for label, key in keys.items())
    return (
        f"{uri}: {found} that have one in the lake. Predictions expected. {there}Say which hold "
        f"the predictions: --map {next(iter(equal))}=KEY; or, where the model does give the same "
        f"numbers: {meant}. Nothing was committed."
    )
