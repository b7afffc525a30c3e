"""Having the tasks of an ingest done, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import TypeVar

from ingest.tasks.reading import Task
from lake.errors import JobFailedError

Target = TypeVar("Target")
Result = TypeVar("Result")


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
