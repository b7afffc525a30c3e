"""Which predictions are new, which are there already, and which stand against what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from ingest.predictions.known_predictions import Known

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PredictionRows:
    """Rows written, as columns of shape (n,): a frame has one for every structure it fits.

    ``file`` numbers the data files, ``check`` hashes the numbers, ``energy`` is NaN where there is
    none (eV). The order is that in which the rows stand in the files.
    """

    file: Integers
    dataset: Integers
    source: Integers
    frame: Integers
    line: Integers
    structure_id: Integers
    check: Integers
    energy: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.file)

    @classmethod
    def concatenate(cls, parts: list[PredictionRows]) -> PredictionRows:
        """Rows one after the other."""
        columns = []
        for each in fields(cls):
            kind = np.float64 if each.name == "energy" else np.int64
            columns.append(
                np.concatenate([np.empty(0, kind), *(getattr(p, each.name) for p in parts)])
            )
        return cls(*columns)


@dataclass(frozen=True, eq=False)
class Resolution:
    """What becomes of n rows: those that go in, and the reasons of those refused.

    A row that is neither is a duplicate. A frame is refused in a dataset with all its rows there.
    """

    adds: NDArray[np.bool_]
    rejected: dict[int, str] = field(default_factory=dict)


def resolve(
    rows: PredictionRows, known: Mapping[int, Known], uri: Callable[[int], str]
) -> Resolution:
    """Tell new predictions from repeated and contradicting ones, as if read in order.

    Parameters
    ----------
    known
        What is there already, by index of the dataset.
    uri
        Name of a source.
    """
    order = np.lexsort((rows.frame, rows.source, rows.dataset))
    frame_of = np.stack((rows.dataset, rows.source, rows.frame), axis=1)[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (np.diff(frame_of, axis=0) != 0).any(axis=1)
    groups = np.cumsum(is_first) - 1
    adds = np.ones(len(rows), np.bool_)
    rejected: dict[int, str] = {}
    contested = _contested(rows, known)[order]
    held: dict[tuple[int, int], int] = {}
    # Frames that meet nothing else are as they are; the others one after the other.
    at = np.flatnonzero(np.isin(groups, groups[contested]))
    for frame_rows in np.split(order[at], np.flatnonzero(np.diff(groups[at])) + 1):
        numbers = frame_rows.tolist()
        reasons = [_against(rows, row, known, held, uri) for row in numbers]
        reason = next((reason for reason in reasons if reason), None)
        for row in numbers:
            key = int(rows.dataset[row]), int(rows.structure_id[row])
            if reason is not None:
                rejected[row] = reason
            adds[row] = reason is None and key not in held and key[1] not in _numbers(known, key[0])
            if adds[row]:
                held[key] = row
    return Resolution(adds, rejected)


def _contested(rows: PredictionRows, known: Mapping[int, Known]) -> NDArray[np.bool_]:
    """Rows whose structure has a prediction already, or stands in several rows."""
    contested = np.zeros(len(rows), np.bool_)
    for dataset in np.unique(rows.dataset).tolist():
        mine = np.flatnonzero(rows.dataset == dataset)
        ids = rows.structure_id[mine]
        _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
        there = np.array(list(_numbers(known, dataset)), dtype=np.int64)
        contested[mine] = (counts[inverse] > 1) | np.isin(ids, there)
    return contested


def _numbers(known: Mapping[int, Known], dataset: int) -> dict[int, tuple[int, float]]:
    return known[dataset].numbers if dataset in known else {}


def _against(
    rows: PredictionRows,
    row: int,
    known: Mapping[int, Known],
    held: Mapping[tuple[int, int], int],
    uri: Callable[[int], str],
) -> str | None:
    """Why a row stands against what its structure has; None where it does not."""
    key = int(rows.dataset[row]), int(rows.structure_id[row])
    there = _numbers(known, key[0]).get(key[1])
    place = "the lake"
    if there is None and key in held:
        holder = held[key]
        there = int(rows.check[holder]), float(rows.energy[holder])
        place = f"{uri(int(rows.source[holder]))}, frame {rows.frame[holder]}"
        if rows.line[holder]:
            place += f" (line {rows.line[holder]})"
    if there is None or there[0] == rows.check[row]:
        return None
    return (
        f"structure {key[1]} has another prediction of this model, from {place}: "
        f"{_difference(there[1], float(rows.energy[row]))}. A model has one per structure. "
        "Drop the old ones first (atomlake drop predictions), or name another --model"
    )


def _difference(there: float, here: float) -> str:
    if there == here or (np.isnan(there) and np.isnan(here)):
        return "the energy is the same, forces or stress differ"
    return f"the energy is {_energy(there)} there and {_energy(here)} here"


def _energy(value: float) -> str:
    return "not given" if np.isnan(value) else f"{value} eV"
