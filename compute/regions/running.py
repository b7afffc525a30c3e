"""Labelling what is missing, and committing it."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from compute.jobs.coverage import known_datasets
from compute.regions.landing import RegionLanding
from compute.regions.report import RegionReport
from compute.regions.request import RegionRequest
from compute.regions.stored import StoredRegions
from compute.regions.structure import Structure
from compute.regions.tasks import COLUMNS, Labelled, Labelling, read_groups
from compute.regions.workers import map_in_order
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.reader import Reader
from lake.rows.row_index import Places
from lake.rows.row_reader import RowReader
from lake.rows.selection import select_places

LEAST_PER_WORKER = 1_000  # structures; fewer are done before another process has begun

Progress = Callable[[int, int, float], None]


def no_progress(done: int, total: int, seconds: float) -> None:
    """Show nothing."""


@dataclass
class _Part:
    """One dataset: what is stored, and where the structures are that have nothing."""

    stored: StoredRegions
    rows: RowReader
    places: Places
    n_chosen: int


def compute_regions(
    lake: Lake, request: RegionRequest, progress: Progress = no_progress
) -> RegionReport:
    """Label the structures that have no regions yet.

    Parameters
    ----------
    progress
        Called with structures done, those to be done, and the seconds since the beginning.

    Raises
    ------
    InvalidInputError, NotFoundError
        An option or a dataset is not what it should be, or regions were stored that were made
        otherwise, and they are not to be replaced.
    ConflictError
        Somebody stored other regions meanwhile, or took the structures out.
    JobFailedError
        A worker died. What was committed stays.
    """
    request.check()
    started_s = time.monotonic()
    datasets = known_datasets(lake.reader, request.datasets)
    stored = [StoredRegions(dataset, request.scheme) for dataset in datasets]
    # Before anything is taken out: the condition may be wrong.
    parts = [_part(lake.reader, each, request.where) for each in stored]
    n_dropped = _make_room(lake, stored, replaces=request.replaces)
    if n_dropped:
        parts = [_part(lake.reader, each, request.where) for each in stored]
    tally = _Tally(sum(len(part.places) for part in parts))
    with _stopped_by_signals() as stop:
        for part in parts:
            arguments = _arguments(part.stored, request)
            landing = RegionLanding(lake, part.stored, arguments, request.commit_every_s)
            for labelled in _labelled(part, request, stop):
                tally.add(labelled)
                landing.add(labelled.rows, labelled.n_atoms)
                progress(tally.n_done, tally.n_missing, time.monotonic() - started_s)
            landing.commit()
            tally.n_added += landing.n_added
    return RegionReport(
        stored[0].names,
        sum(part.n_chosen for part in parts),
        tally.n_missing,
        tally.n_added,
        tally.kinds,
        tally.reasons,
        n_dropped,
        tally.n_too_large,
        tally.n_atoms,
        time.monotonic() - started_s,
        lake.version,
        is_stopped=stop.is_set() and tally.n_done < tally.n_missing,
    )


@dataclass
class _Tally:
    """What was labelled so far; ``n_added`` of it was committed.

    ``n_too_large`` were left as they are, because there was no memory for their neighbours.
    """

    n_missing: int
    n_added: int = 0
    n_too_large: int = 0
    n_atoms: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def n_done(self) -> int:
        return sum(self.kinds.values()) + self.n_too_large

    def add(self, labelled: Labelled) -> None:
        self.kinds += labelled.kinds
        self.reasons += labelled.reasons
        self.n_too_large += labelled.n_too_large
        self.n_atoms += labelled.n_atoms


def _labelled(part: _Part, request: RegionRequest, stop: threading.Event) -> Iterator[Labelled]:
    """What the workers make of a dataset, until all is done or the stop is set."""
    workers = max(1, min(request.workers, len(part.places) // LEAST_PER_WORKER))

    def groups() -> Iterator[list[tuple[int, Structure]]]:
        for group in read_groups(part.rows, part.places):
            if stop.is_set():
                return
            yield group

    yield from map_in_order(Labelling(request.scheme), groups(), workers)


def _part(reader: Reader, stored: StoredRegions, where: str | None) -> _Part:
    rows = RowReader(reader, "structures", columns=COLUMNS, dataset=stored.dataset)
    chosen = select_places(reader, rows.index, where)
    ids = rows.index.ids_at(chosen)
    is_done = np.ones(len(ids), bool)
    for done in stored.read(reader).values():
        is_done &= np.isin(ids, done)
    places = chosen[~is_done]
    # Jobs that overlap begin at different structures, and so are further when they meet.
    first = crc32(uuid.uuid4().bytes) % max(len(places), 1)
    return _Part(stored, rows, np.roll(places, -first), len(chosen))


def _make_room(lake: Lake, stored: Sequence[StoredRegions], *, replaces: bool) -> int:
    """Take out regions that were made otherwise, or refuse to stand beside them; rows dropped."""
    n_dropped = 0
    reader = lake.reader
    for each in stored:
        difference = each.difference(reader)
        if difference is None:
            continue
        family = each.scheme.family
        if not replaces:
            raise InvalidInputError(
                f"Regions of {each.dataset} under {family} are stored that were made otherwise: "
                f"{difference}. All regions of a dataset and scheme share their parameters. "
                f"Compute with the same, or give --replace, or take them out: atomlake drop "
                f"regions {each.dataset} {family}"
            )
        n_dropped += int(lake.drop(dataset=each.dataset, scheme=family)["rows_removed"].sum())
    return n_dropped


def _arguments(stored: StoredRegions, request: RegionRequest) -> Mapping[str, object]:
    asked = {
        "dataset": stored.dataset,
        "scheme": stored.scheme.family,
        "where": request.where,
        **stored.scheme.parameters,
    }
    return {name: value for name, value in asked.items() if value is not None}


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that is set when this process is told to end, as Slurm does before a limit."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
