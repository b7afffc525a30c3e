"""A lake of two datasets, and scores of its structures with distances from a baseline."""

from __future__ import annotations

import numpy as np
import pytest
from ood_samples import add_latents, add_models, add_predictions, add_structures, random_latents

import lake
from queries.ood.choosing import Choice
from queries.ood.distances import score_with_distances

ATTACK = "<img src=x onerror='window.attacked = 1'></script><script>window.attacked = 1</script>"
SIZES = {i: 3 + i % 9 for i in range(60)}


@pytest.fixture(scope="module")
def lake_of_maps(tmp_path_factory: pytest.TempPathFactory):
    """A lake of two datasets; structures of the second are further apart, and named oddly."""
    lk = lake.create(str(tmp_path_factory.mktemp("maps") / "lake"))
    add_models(lk)
    random = np.random.default_rng(0)
    for name, ids in (("train", range(40)), ("new", range(40, 60))):
        sizes = {i: SIZES[i] for i in ids}
        positions = {
            i: dict(zip("xyz", random.uniform(0, 9, (3, n)).tolist(), strict=True))
            for i, n in sizes.items()
        }
        kinds = {i: ATTACK if i % 2 else "slab" for i in ids}
        add_structures(lk, sizes, name, positions=positions, config_type=kinds)
        for member, latents in random_latents(sizes, n_features=6).items():
            add_latents(lk, member, latents, name)
            forces = {i: random.normal(size=(n, 3)) for i, n in sizes.items()}
            add_predictions(lk, member, {i: random.normal() for i in ids}, forces, name)
    return lk


@pytest.fixture(scope="module")
def scores_with_distances(lk):
    """Scores and distances of the lake; modules name these fixtures `lk` and `answer`."""
    return score_with_distances(
        lk, choice=Choice(top=5), sets=("new",), groups=("T1",), baseline="train", memory_mib=64
    )
