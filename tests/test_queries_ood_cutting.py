"""Where structures are cut into blocks."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.latents.latent_layer import CHUNK_ROWS, SHARD_ROWS
from queries.ood.cutting import cut

SIZES = st.lists(st.integers(1, 40_000), max_size=30)


@given(SIZES, st.integers(500, 200_000), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_every_atom_is_in_one_block_of_bounded_size(
    sizes: list[int], most: int, random: Random
) -> None:
    n_atoms = np.array(sizes, np.int64)
    offset = np.array([random.randrange(10**6) for _ in sizes], np.int64)
    seen: list[tuple[int, int]] = []
    for first, skip, parts in cut(n_atoms, offset, most):
        assert 0 < parts.sum() <= most
        assert (parts > 0).all()
        for i, n in enumerate(parts.tolist()):
            begin = skip if i == 0 else 0
            seen += [(first + i, atom) for atom in (begin, begin + n - 1)]
            assert begin + n <= sizes[first + i]
            if i < len(parts) - 1:
                assert begin + n == sizes[first + i]
    assert seen == sorted(seen)
    begins = {structure for structure, atom in seen if atom == 0}
    assert begins == set(range(len(sizes)))
    lasts = {structure for structure, atom in seen if atom == sizes[structure] - 1}
    assert lasts == begins


def ends_in_array(sizes: list[int], begin: int, most: int) -> list[int]:
    """Rows of the array at which blocks end, of structures that follow each other."""
    n_atoms = np.array(sizes, np.int64)
    offset = begin + np.cumsum(n_atoms) - n_atoms
    return (begin + np.cumsum([p.sum() for _, _, p in cut(n_atoms, offset, most)])).tolist()


def test_blocks_end_with_shards() -> None:
    ends = ends_in_array([1_000] * 300, begin=5_000, most=87_381)
    assert [end % SHARD_ROWS for end in ends[:-1]] == [0] * (len(ends) - 1)
    assert ends[-1] == 305_000


def test_small_blocks_end_with_chunks() -> None:
    ends = ends_in_array([1_000] * 30, begin=0, most=5_000)
    assert [end % CHUNK_ROWS for end in ends[:-1]] == [0] * (len(ends) - 1)
    assert len(ends) == 8
