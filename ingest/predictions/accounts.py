"""The accounting of an ingest of predictions: per dataset for the lake, per file for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.frames.frames import Reject
from ingest.landing.report import SourceReport
from ingest.predictions.landed_rows import PredictionRows
from ingest.predictions.resolution import Resolution
from ingest.tasks.tasks import Source
from lake.errors import JobFailedError

Integers = NDArray[np.int64]
Rejects = tuple[tuple[int, Reject], ...]

# Where files stand of which no frame fits any of several datasets.
UNMATCHED = "unmatched"

_DUPLICATE, _ROW, _REJECT = 0, 1, 2


@dataclass(frozen=True)
class DatasetAccounts:
    """Sources with frames in one dataset, what became of these, and the rejects."""

    sources: tuple[Source, ...]
    reports: tuple[SourceReport, ...]
    rejects: Rejects


@dataclass(frozen=True)
class PredictionAccounts:
    """What became of every frame.

    ``datasets`` counts a frame in every dataset that it has structures in; what fits none counts
    where most frames of its file belong, or in the home of strays where none does. ``sources`` and
    ``rejects`` count every frame once.
    """

    datasets: Mapping[int, DatasetAccounts]
    sources: tuple[SourceReport, ...]
    rejects: Rejects


def settle(
    sources: Sequence[Source],
    frames_read: Mapping[int, int],
    early: Sequence[tuple[int, Reject]],
    rows: PredictionRows,
    resolution: Resolution,
    home_of_strays: int,
) -> PredictionAccounts:
    """Count rows, duplicates and rejects.

    Parameters
    ----------
    early
        Frames and files refused before they had a structure, by index of the source.
    home_of_strays
        Number of the dataset that files count in of which no frame fits any.

    Raises
    ------
    JobFailedError
        The counts of a source do not close, which no input may bring about.
    """
    state = np.where(resolution.adds, _ROW, _DUPLICATE)
    state[list(resolution.rejected)] = _REJECT
    late = _late_rejects(rows, resolution)
    home = _homes(sources, rows, home_of_strays)
    by_dataset = {}
    for dataset in sorted({*np.unique(rows.dataset).tolist(), *home.values()}):
        mine = rows.dataset == dataset
        refused = [pair for pair in early if home[pair[0]] == dataset]
        refused += [pair for at, pair in late if at == dataset]
        counts = _count(rows.source[mine], rows.frame[mine], state[mine])
        there = [s for s in sources if home[s.index] == dataset or any(counts[s.index].values())]
        n_early = Counter(index for index, _ in early if home[index] == dataset)
        reports = tuple(_report(s, counts[s.index], n_early[s.index]) for s in there)
        by_dataset[dataset] = DatasetAccounts(tuple(there), reports, _sorted(refused))
    counts = _count(rows.source, rows.frame, state)
    n_early = Counter(index for index, _ in early)
    reports = tuple(_report(s, counts[s.index], n_early[s.index]) for s in sources)
    for source, report in zip(sources, reports, strict=True):
        read = frames_read.get(source.index, 0) + (source.reject is not None)
        if read != report.frames_read:
            raise JobFailedError(
                f"{source.item.uri}: {read} frames read, but {report.frames_read} accounted for. "
                "Nothing was committed. Report this."
            )
    once = {(index, reject.frame): reject for _, (index, reject) in late}
    every = [*early, *((index, reject) for (index, _), reject in once.items())]
    return PredictionAccounts(by_dataset, reports, _sorted(every))


def _late_rejects(
    rows: PredictionRows, resolution: Resolution
) -> list[tuple[int, tuple[int, Reject]]]:
    """Refused frames with their dataset, each once in a dataset."""
    found = {}
    for row, reason in resolution.rejected.items():
        frame, source = int(rows.frame[row]), int(rows.source[row])
        reject = Reject(frame, int(rows.line[row]), reason)
        found[int(rows.dataset[row]), source, frame] = reject
    return [(dataset, (source, reject)) for (dataset, source, _), reject in found.items()]


def _homes(sources: Sequence[Source], rows: PredictionRows, home_of_strays: int) -> dict[int, int]:
    """The dataset most frames of each source belong to."""
    homes = {}
    for source in sources:
        there = rows.dataset[rows.source == source.index]
        homes[source.index] = int(np.bincount(there).argmax()) if len(there) else home_of_strays
    return homes


def _count(source: Integers, frame: Integers, state: Integers) -> dict[int, Counter[int]]:
    """How many frames of each source are in each state; of several states the last one counts."""
    counts: dict[int, Counter[int]] = _Counters()
    order = np.lexsort((state, frame, source))
    source, frame, state = source[order], frame[order], state[order]
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = (np.diff(source) != 0) | (np.diff(frame) != 0)
    for index, what in zip(source[is_last].tolist(), state[is_last].tolist(), strict=True):
        counts[index][what] += 1
    return counts


class _Counters(dict[int, Counter[int]]):
    def __missing__(self, key: int) -> Counter[int]:
        self[key] = Counter()
        return self[key]


def _report(source: Source, counts: Counter[int], n_early: int) -> SourceReport:
    rejects = counts[_REJECT] + n_early
    read = counts[_ROW] + counts[_DUPLICATE] + rejects
    return SourceReport(source.item.uri, read, counts[_ROW], counts[_DUPLICATE], rejects)


def _sorted(rejects: Sequence[tuple[int, Reject]]) -> Rejects:
    return tuple(sorted(rejects, key=lambda pair: (pair[0], pair[1].frame)))
