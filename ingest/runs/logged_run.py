"""A training run as a file tells it: what is said of it, and everything it logged."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from ingest.frames.frames import Reject

if TYPE_CHECKING:
    from lake.reader import Reader

# Columns of a history; `line` is the line of the file, 0 where it has none.
HISTORY = pl.Schema(
    [
        ("step", pl.Int64()),
        ("epoch", pl.Float64()),
        ("key", pl.String()),
        ("value", pl.Float64()),
        ("other", pl.String()),
        ("logged_at", pl.Datetime("us", "UTC")),
        ("line", pl.Int64()),
    ]
)
UNKNOWN = "unknown"
# States in which a run goes on logging, or may; else it has ended.
OPEN_STATES = frozenset({UNKNOWN, "running", "pending", "preempting", "preempted"})


@dataclass(frozen=True, eq=False)
class LoggedRun:
    """One run. ``project`` is None where the file does not say, and ``run_id`` always stands.

    ``history`` has the columns `HISTORY`, in the order they were logged.
    """

    run_id: str
    name: str
    project: str | None = None
    state: str = UNKNOWN
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    history: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HISTORY))


@dataclass(frozen=True, eq=False)
class LoggedFile:
    """What a file holds: runs, values by kind, what could not be read, and what to say of it."""

    runs: Sequence[LoggedRun]
    kinds: Mapping[str, int] = field(default_factory=Counter)
    rejects: Sequence[Reject] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class LogFile:
    """A file to read: where it lies, its bytes, and what was said of it.

    ``name`` is the name given to its run, ``project`` the project it goes to; ``reader`` reads the
    lake it goes to, for formats that name runs the lake may know.
    """

    uri: str
    data: bytes
    name: str | None = None
    project: str | None = None
    reader: Reader | None = None


def made_up_id(kind: str, *parts: str) -> str:
    """An identity for a run whose file gives none, the same whenever it is read.

    Examples
    --------
    >>> made_up_id("mace", "first line")
    'mace-1de24ae78a'
    """
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{kind}-{digest[:10]}"
