"""Telling how far a worker is, not too often."""

from __future__ import annotations

import threading
import time
from typing import Any

from compute.worker.events import Events

TELL_EVERY_S = 0.5


class Telling:
    """Counts of one model on one dataset, told at most twice a second."""

    def __init__(self, events: Events, stop: threading.Event, **what: Any) -> None:
        self._events = events
        self._stop = stop
        self._what = what
        self._counts = {"ok": 0, "failed": 0, "skipped": 0, "atoms": 0, "unkept": 0}
        self._reason = ""
        self._lock = threading.Lock()
        self._told_s = 0.0

    def __call__(self, kind: str, n_structures: int, n_atoms: int = 0, reason: str = "") -> None:
        """Count some structures; of several reasons the first is told."""
        with self._lock:
            self._reason = self._reason or reason
            self._counts[kind] += n_structures
            self._counts["atoms"] += n_atoms
            if time.monotonic() - self._told_s >= TELL_EVERY_S:
                self.flush()

    def flush(self) -> None:
        """Tell the counts now. When nobody listens any more, the job is to end."""
        self._told_s = time.monotonic()
        try:
            self._events.send("progress", reason=self._reason, **self._what, **self._counts)
        except BrokenPipeError:
            self._stop.set()
