"""Checkpoints of the log while workers commit: they have no delta-rs to write them with."""

from __future__ import annotations

import threading
import time

from lake.log.transaction import write_due_checkpoints
from lake.storage.storage import Storage

LOOK_EVERY_S = 60.0


class Checkpoints:
    """Writes those that are due, at most once a minute."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._looked_s = time.monotonic()

    def look(self) -> None:
        """Write those that are due, unless that was done a moment ago."""
        if time.monotonic() - self._looked_s < LOOK_EVERY_S:
            return
        if self._lock.acquire(blocking=False):
            try:
                self.write()
            finally:
                self._lock.release()

    def write(self) -> None:
        """Write those that are due now."""
        self._looked_s = time.monotonic()
        write_due_checkpoints(self._storage)
