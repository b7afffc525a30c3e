"""Having the tasks of an ingest done, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from typing import TypeVar

from ingest.frames.importer import BlockCutter
from ingest.tasks.allocator import freed_memory_kept
from ingest.tasks.executors import open_executor
from ingest.tasks.reading import Task
from ingest.tasks.tasks import Progress, Source, TaskCutter
from lake.errors import JobFailedError

Target = TypeVar("Target")
Result = TypeVar("Result")
TASKS_UNDER_WAY = 2  # per worker: one done, one waiting


@contextmanager
def results_of(
    run: Callable[[Target, Task], Result],
    target: Target,
    importer: BlockCutter,
    sources: Sequence[Source],
    *,
    workers: int,
    scheduler: str | None,
    use_threads: bool,
    storage_options: Mapping[str, str],
    progress: Progress,
) -> Iterator[Iterator[Result]]:
    """What `run` makes of the tasks that sources are cut into, as it comes.

    Parameters
    ----------
    workers, scheduler, use_threads
        Who does the tasks, see `ingest.tasks.executors.open_executor`.
    progress
        Called with the bytes read, and the bytes there are if that is known.

    Raises
    ------
    JobFailedError
        A worker died.
    """
    with (
        freed_memory_kept(),
        open_executor(workers, scheduler, use_threads=use_threads) as (executor, n_workers),
    ):
        cutter = TaskCutter(importer, storage_options, workers=n_workers, progress=progress)
        tasks = cutter.tasks(sources)
        yield run_tasks(run, executor, target, tasks, n_workers * TASKS_UNDER_WAY)


def run_tasks(
    run: Callable[[Target, Task], Result],
    executor: Executor,
    target: Target,
    tasks: Iterator[Task],
    most: int,
) -> Iterator[Result]:
    """Results as they come, with at most `most` tasks under way.

    Raises
    ------
    JobFailedError
        A worker process died.
    """
    under_way: set[Future[Result]] = set()
    try:
        for task in tasks:
            under_way.add(executor.submit(run, target, task))
            while len(under_way) >= most or any(f.done() for f in under_way):
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BrokenExecutor as error:
        raise JobFailedError(
            "A worker process died (killed, out of memory?). Nothing was committed. Run the same "
            "command again, with fewer --workers if memory was short."
        ) from error
    finally:
        for future in under_way:
            future.cancel()
