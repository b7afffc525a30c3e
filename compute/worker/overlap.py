"""Stages of work that overlap: iterators that run ahead in threads."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_POLL_S = 0.1


class _End:
    """The last thing in a queue: the iterator ended, with this error if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def run_ahead(items: Iterator[Item], depth: int) -> Iterator[Iterator[Item]]:
    """The items, made by a thread that stays at most `depth` of them ahead.

    An error of the iterator is raised where the item would have come. When the block ends, the
    thread stops and the iterator is closed.
    """
    ready: queue.Queue[Item | _End] = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, ready, stop), daemon=True)
    thread.start()
    try:
        yield _drain(ready)
    finally:
        stop.set()
        thread.join()


def _fill(items: Iterator[Item], ready: queue.Queue[Item | _End], stop: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not _put(ready, item, stop):
                break
    except BaseException as raised:  # noqa: BLE001 - raised again where the item was awaited
        error = raised
    finally:
        if isinstance(items, Generator):
            items.close()
    _put(ready, _End(error), stop)


def _put(ready: queue.Queue[Any], item: object, stop: threading.Event) -> bool:
    """Whether there was room for the item before the stop."""
    while not stop.is_set():
        try:
            ready.put(item, timeout=_POLL_S)
        except queue.Full:
            continue
        return True
    return False


def _drain(ready: queue.Queue[Item | _End]) -> Iterator[Item]:
    while not isinstance(item := ready.get(), _End):
        yield item
    if item.error is not None:
        raise item.error


def map_in_order(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item], most: int
) -> Iterator[Result]:
    """`function` of every item, in their order, with at most `most` under way in the pool."""
    under_way: deque[Future[Result]] = deque()
    try:
        for item in items:
            under_way.append(pool.submit(function, item))
            if len(under_way) >= most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
