"""Batches and budgets: nothing lost, nothing beyond what is allowed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute.engines.engine import Graph
from compute.worker.batches import Budget, Member, cut, halves, load_of


def member(identity: int, n_atoms: int = 1, n_edges: int = 0) -> Member:
    graph = Graph(
        np.ones(n_atoms, np.int64),
        np.zeros((n_atoms, 3)),
        np.zeros((3, 3)),
        np.zeros(3, bool),
        np.zeros((2, n_edges), np.int64),
        np.zeros((n_edges, 3)),
    )
    return Member(identity, graph)


SIZES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 300)), max_size=40)


@given(SIZES, st.integers(1, 500), st.none() | st.integers(1, 5))
def test_batches_hold_all_structures_in_order_within_the_budget(
    sizes: list[tuple[int, int]], load: int, structures: int | None
) -> None:
    members = [member(i, *size) for i, size in enumerate(sizes)]
    budget = Budget(load, structures)
    batches = list(cut(members, lambda: budget))
    assert [each.structure_id for batch in batches for each in batch] == list(range(len(members)))
    for batch in batches:
        assert len(batch) == 1 or budget.admits(len(batch), load_of(batch))
    for batch, after in pairwise(batches):  # each is as full as can be
        assert not budget.admits(len(batch) + 1, load_of(batch) + after[0].load)


def test_what_is_no_structure_passes_at_once() -> None:
    items = [member(1), "failure", member(2)]
    batches = list(cut(items, lambda: Budget(1000)))
    assert batches[0] == "failure"
    assert [each.structure_id for each in batches[1]] == [1, 2]


def test_a_budget_that_shrinks_holds_for_the_next_batch() -> None:
    loads = iter([1000, 1000, 8, 8, 8, 8, 8, 8])
    batches = list(cut([member(i) for i in range(6)], lambda: Budget(next(loads))))
    assert [len(batch) for batch in batches] == [3, 2, 1]


@given(SIZES.filter(lambda sizes: len(sizes) > 1))
def test_halves_are_two_batches_with_all_members(sizes: list[tuple[int, int]]) -> None:
    batch = [member(i, *size) for i, size in enumerate(sizes)]
    first, second = halves(batch)
    assert first
    assert second
    assert [*first, *second] == batch
    largest = max(each.load for each in batch)
    assert abs(load_of(first) - load_of(second)) <= 2 * largest


@pytest.mark.parametrize(
    ("n", "load", "fits"), [(1, 10, True), (3, 10, False), (2, 11, False), (2, 10, True)]
)
def test_a_budget_bounds_load_and_number(n: int, load: int, fits: bool) -> None:
    assert Budget(10, 2).admits(n, load) is fits
