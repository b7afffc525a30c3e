"""Signatures find every near structure, and the nearest is taken only where it is clear."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.predictions.neighbours import Pairs, nearest
from ingest.predictions.ragged import entries_of, greatest, offsets_of
from ingest.predictions.signatures import geometry_signatures, weighted_means


@given(st.integers(0, 2**32 - 1))
def test_signatures_differ_by_no_more_than_the_atoms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_atoms = rng.integers(1, 12, 5)
    values = rng.normal(size=(n_atoms.sum(), 3))
    moved = values + rng.uniform(-1e-4, 1e-4, values.shape)
    means = weighted_means(values, n_atoms)
    assert np.abs(means - weighted_means(moved, n_atoms)).max() <= 1e-4 + 1e-12
    assert means.shape == (5, 12)
    # Structure by structure, by hand.
    start = 0
    for row, n in zip(means, n_atoms.tolist(), strict=True):
        for group in range(4):
            at = np.arange(group, n, 4)
            weight = 0.5 + 0.5 * ((at + 1) * (5**0.5 - 1) / 2 % 1.0)
            expected = weight @ values[start + at] / weight.sum() if len(at) else np.zeros(3)
            np.testing.assert_allclose(row[3 * group :][:3], expected, atol=1e-12)
        start += n


@given(st.integers(0, 2**32 - 1), st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_lattice_vectors_do_not_change_a_signature(seed: int, pbc: tuple[bool, bool, bool]) -> None:
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3, 20, 3)) + rng.uniform(-1, 1, (3, 3))
    positions = rng.uniform(size=(9, 3)) @ cell
    periodic = np.array([pbc])
    n_cells = rng.integers(-3, 4, (9, 3)) * periodic
    of_both = [
        geometry_signatures(p, np.array([9]), cell[None], periodic)
        for p in (positions, positions + n_cells @ cell + rng.uniform(-1e-4, 1e-4, (9, 3)))
    ]
    # In a sheared cell the heights carry a difference of 1e-4 along each axis to at most its norm.
    assert np.abs(of_both[0] - of_both[1]).max() <= 3**0.5 * 1e-4 + 1e-9


def test_the_nearest_is_taken_where_it_is_clear() -> None:
    pairs = Pairs(np.array([4, 4, 7, 7, 2, 5, 5]), np.array([0, 1, 2, 1, 3, 3, 4]))
    distance = np.array([2e-5, 1e-6, 1e-5, 3e-5, 1e-4, 0.0, 0.0])
    kind = np.array([10, 11, 12, 13, 13])
    found = nearest(pairs, distance, kind)
    assert found.pairs.frame.tolist() == [2, 4, 5]
    assert found.pairs.row.tolist() == [3, 1, 3]
    assert found.rivals == {7: [2, 1]}
    none = nearest(Pairs.none(), np.empty(0), kind)
    assert (len(none.pairs), none.rivals) == (0, {})


def test_rows_of_unequal_length() -> None:
    lengths = np.array([2, 1, 3])
    offsets = offsets_of(lengths)
    values = np.array([1.0, 5.0, 2.0, 0.0, np.nan, 3.0])
    assert values[entries_of(offsets, np.array([1, 0, 1]))].tolist() == [2.0, 1.0, 5.0, 2.0]
    np.testing.assert_array_equal(greatest(values, lengths), [5.0, 2.0, np.nan])
    assert len(entries_of(offsets, np.empty(0, np.int64))) == 0
