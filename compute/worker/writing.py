"""Writing results beside the next forward passes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from compute.worker.landing import Landing
from compute.worker.outcomes import Evaluated, Failure

OUTCOMES_AHEAD = 4
_POLL_S = 1.0


@contextmanager
def writing(landing: Landing, after_commit: Callable[[], None]) -> Iterator[Writer]:
    """A writer that commits the rest at the end, also when the job was stopped or failed.

    What was computed is good. An error of the writer is raised, unless the job failed before.

    Parameters
    ----------
    after_commit
        Called after each commit.
    """
    writer = Writer(landing, after_commit)
    try:
        yield writer
    except BaseException:
        writer.close()
        raise
    writer.close()
    if writer.error is not None:
        raise writer.error


class Writer:
    """A thread that takes outcomes and commits them when it is time.

    Attributes
    ----------
    error
        What ended it early.
    """

    def __init__(self, landing: Landing, after_commit: Callable[[], None]) -> None:
        self._landing = landing
        self._after_commit = after_commit
        self._queue: queue.Queue[Evaluated | Failure | None] = queue.Queue(OUTCOMES_AHEAD)
        self.error: BaseException | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait until the rest is committed."""
        self._queue.put(None)
        self._thread.join()

    def put(self, outcome: Evaluated | Failure) -> None:
        """Hand on an outcome; an error of the thread is raised here."""
        if self.error is not None:
            raise self.error
        self._queue.put(outcome)

    def _run(self) -> None:
        try:
            self._write()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that computes
            self.error = error
            try:
                self._landing.abandon()
            finally:
                while not self._is_closed:  # so that nobody waits for room
                    self._is_closed = self._queue.get() is None

    def _write(self) -> None:
        while True:
            try:
                outcome = self._queue.get(timeout=_POLL_S)
            except queue.Empty:
                self._commit_if_due()
                continue
            if outcome is None:
                self._is_closed = True
                break
            self._landing.add(outcome)
            self._commit_if_due()
        self._commit()

    def _commit_if_due(self) -> None:
        if self._landing.is_due:
            self._commit()

    def _commit(self) -> None:
        self._landing.commit()
        self._after_commit()
