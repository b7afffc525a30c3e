"""Writing results beside the next forward passes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from compute.worker.landing import Landing
from compute.worker.outcomes import Evaluated, Failure

OUTCOMES_AHEAD = 4
_POLL_S = 1.0


class Writer:
    """A thread that takes outcomes and commits them when it is time.

    As a context manager it commits the rest at the end, also when the job was stopped or failed:
    what was computed is good.

    Parameters
    ----------
    after_commit
        Called after each commit.
    """

    def __init__(self, landing: Landing, after_commit: Callable[[], None]) -> None:
        self._landing = landing
        self._after_commit = after_commit
        self._queue: queue.Queue[Evaluated | Failure | None] = queue.Queue(OUTCOMES_AHEAD)
        self._error: BaseException | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def put(self, outcome: Evaluated | Failure) -> None:
        """Hand on an outcome; an error of the thread is raised here."""
        if self._error is not None:
            raise self._error
        self._queue.put(outcome)

    def _run(self) -> None:
        try:
            self._write()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that computes
            self._error = error
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
