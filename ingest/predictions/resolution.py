"""Which predictions are new, which are there already, and which stand against what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.landing.other_labels import difference
from ingest.predictions.known_predictions import Known
from ingest.predictions.landed_rows import PredictionRows
from ingest.predictions.numbers import energy_tolerance

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Resolution:
    """What becomes of n rows: those that go in, and the reasons of those refused.

    A row that is neither is a duplicate. A frame is refused in a dataset with all its rows there.
    """

    adds: NDArray[np.bool_]
    rejected: dict[int, str] = field(default_factory=dict)


def resolve(
    rows: PredictionRows,
    known: Mapping[int, Known],
    uri: Callable[[int], str],
    are_alike: Callable[[int, int], bool],
) -> Resolution:
    """Tell new predictions from repeated and contradicting ones, as if read in order.

    Parameters
    ----------
    known
        What is there already, by index of the dataset.
    uri
        Name of a source.
    are_alike
        Whether two rows of one structure are the same but for the digits a text file left out.
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
        reasons = [_against(rows, row, known, held, uri, are_alike) for row in numbers]
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
    are_alike: Callable[[int, int], bool],
) -> str | None:
    """Why a row stands against what its structure has; None where it does not."""
    key = int(rows.dataset[row]), int(rows.structure_id[row])
    there = _numbers(known, key[0]).get(key[1])
    if there is not None:
        is_same = there[0] == rows.check[row] or row in known[key[0]].repeated
        place, energy = "the lake", there[1]
    elif key in held:
        holder = held[key]
        is_same = rows.check[holder] == rows.check[row] or are_alike(holder, row)
        place, energy = _place(rows, holder, uri), float(rows.energy[holder])
    else:
        return None
    if is_same:
        return None
    apart = difference(energy, float(rows.energy[row]), energy_tolerance(energy))
    return (
        f"structure {key[1]} has another prediction of this model, from {place}: {apart}. A model "
        "has one per structure. Drop the old ones first (atomlake drop predictions), or name "
        "another --model"
    )


def _place(rows: PredictionRows, row: int, uri: Callable[[int], str]) -> str:
    line = f" (line {rows.line[row]})" if rows.line[row] else ""
    return f"{uri(int(rows.source[row]))}, frame {rows.frame[row]}{line}"
