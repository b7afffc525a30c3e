"""Who labels structures: this process, or a pool of processes."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from lake.errors import JobFailedError

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD_PER_WORKER = 3


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """The results of a function for items, in their order; a few are done ahead.

    Parameters
    ----------
    workers
        Processes; 1 works in this one.

    Raises
    ------
    JobFailedError
        A process died.
    """
    if workers == 1:
        yield from map(function, items)
        return
    # A fork of a process with threads (DuckDB, Polars, delta-rs) can hang; a server that has
    # loaded what is called and nothing else forks safely, and fast.
    context = get_context("forkserver")
    context.set_forkserver_preload(["compute.regions.tasks"])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    try:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > AHEAD_PER_WORKER * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise JobFailedError(
            "A worker process died, perhaps for want of memory. What was committed stays. Run the "
            "same command again, with fewer --workers."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the process that commits, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
