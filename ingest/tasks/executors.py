"""Who does the work: this thread, a pool of threads or processes, or a Dask cluster.

All of them are a `concurrent.futures.Executor`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from ingest.tasks.allocator import keep_freed_memory
from lake.errors import InvalidInputError

Result = TypeVar("Result")

_SWITCH_INTERVAL_S = 0.0005


class InlineExecutor(Executor):
    """Does each task at once, in this process."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """The finished future of one task; its error is raised here."""
        future: Future[Result] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def available_cores() -> int:
    """Cores this process may use, which under Slurm are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def open_executor(
    workers: int, scheduler: str | None = None, *, use_threads: bool = False
) -> Iterator[tuple[Executor, int]]:
    """An executor, and how many tasks it does at once.

    Parameters
    ----------
    workers
        Tasks to do at once; 1 works in this thread.
    scheduler
        Address of a Dask scheduler, which takes the place of `workers`.
    use_threads
        Work in threads of this process, not in processes: no time to start, less to gain.

    Raises
    ------
    InvalidInputError
        Fewer than one worker, or no scheduler answers at the address.
    """
    if scheduler is not None:
        from ingest.tasks.dask_cluster import open_cluster

        with open_cluster(scheduler) as (executor, n_workers):
            yield executor, n_workers
    elif workers < 1:
        raise InvalidInputError(f"--workers {workers}: expected at least 1.")
    elif workers == 1:
        yield InlineExecutor(), 1
    elif use_threads:
        # What a thread lets go of for a millisecond of parsing it should have back after one.
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        try:
            with ThreadPoolExecutor(workers) as threads:
                yield threads, workers
        finally:
            sys.setswitchinterval(interval_s)
    else:
        # A fork of a process with threads (DuckDB, Polars, delta-rs) can hang; a server that has
        # loaded the reader and nothing else forks safely, and fast.
        context = get_context("forkserver")
        context.set_forkserver_preload(["ingest.tasks.reading"])
        with ProcessPoolExecutor(
            workers, mp_context=context, initializer=keep_freed_memory
        ) as pool:
            yield pool, workers
