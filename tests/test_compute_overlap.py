"""Iterators that run ahead in threads: order, errors, bounds, and an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from compute.worker.overlap import map_in_order, run_ahead


def test_items_come_in_order() -> None:
    with run_ahead(iter(range(100)), 3) as items:
        assert list(items) == list(range(100))


def test_it_stays_only_so_far_ahead() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    with run_ahead(numbers(), 3) as items:
        assert next(items) == 0
        time.sleep(0.3)
        # One taken, three ready, one in the hand of the thread.
        assert len(made) == 5


def test_an_error_comes_where_the_item_would_have() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("disk gone")

    with run_ahead(broken(), 2) as items:
        assert next(items) == 1
        with pytest.raises(OSError, match="disk gone"):
            next(items)


def test_leaving_early_ends_the_thread_and_closes_the_iterator() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    iterator = endless()  # held, or its last reference would close it
    with run_ahead(iterator, 2) as items:
        next(items)
    assert closed.is_set()
    assert threading.active_count() == before


def test_results_of_a_pool_come_in_order_with_few_under_way() -> None:
    under_way, most = 0, 0
    lock = threading.Lock()

    def slow(i: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02 if i % 3 else 0.05)
        with lock:
            under_way -= 1
        return i * i

    with ThreadPoolExecutor(8) as pool:
        assert list(map_in_order(pool, slow, range(30), 4)) == [i * i for i in range(30)]
    assert most <= 4


def test_an_error_in_the_pool_is_raised() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        list(map_in_order(pool, lambda i: 1 // i, [1, 0, 1], 2))


def test_leaving_early_calls_off_what_has_not_begun() -> None:
    begun: list[int] = []

    def slow(i: int) -> int:
        begun.append(i)
        time.sleep(0.1)
        return i

    with ThreadPoolExecutor(1) as pool:
        results = map_in_order(pool, slow, range(20), 10)
        assert next(results) == 0
        assert isinstance(results, Generator)
        results.close()
    assert len(begun) <= 3
