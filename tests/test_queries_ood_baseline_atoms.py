"""Clusters of the most uncertain atoms, against the latents that were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ood_samples import MEMBERS, add_latents, add_models, add_structures, trace
from sklearn.cluster import KMeans

import lake
from lake.errors import CorruptLakeError
from lake.structures.elements import SYMBOLS
from queries.ood.baseline import Settings
from queries.ood.baseline.atom_clusters import cluster_atoms, mean_latents
from queries.ood.choosing import Choice
from queries.ood.pointers import read_pointers
from queries.ood.scoring import score
from queries.ood.structure_scores import atom_batches

SIZES = {i: 2 + 3 * i for i in range(12)}


@pytest.fixture(scope="module")
def latents():
    """Atoms of five kinds, and members that disagree by a different amount on each atom."""
    random = np.random.default_rng(2)
    kinds = random.normal(size=(5, 8)) * 20
    shared = {i: kinds[random.integers(0, 5, n)] for i, n in SIZES.items()}
    spread = {i: random.lognormal(-3, 1, (n, 1)) for i, n in SIZES.items()}
    return {
        name: {
            i: (shared[i] + spread[i] * random.normal(size=(n, 8))).astype(np.float32)
            for i, n in SIZES.items()
        }
        for name in MEMBERS
    }


@pytest.fixture(scope="module")
def lk(latents, tmp_path_factory: pytest.TempPathFactory):
    lk = lake.create(str(tmp_path_factory.mktemp("atoms") / "lake"))
    add_structures(lk, SIZES)
    add_models(lk)
    for k, name in enumerate(MEMBERS):  # each in two stores, in an order of its own
        ids = list(SIZES)[k:] + list(SIZES)[:k]
        add_latents(lk, name, latents[name], order=ids[:5])
        add_latents(lk, name, latents[name], order=ids[5:])
    return lk


@pytest.fixture(scope="module")
def result(lk):
    return score(lk, choice=Choice(top=3), sets=("slabs",), groups=("T1",), memory_mib=64)


@pytest.fixture(scope="module")
def atoms(lk, result):
    selection = result.selection
    pointers, _ = read_pointers(lk.reader, result.scores, selection.members, selection.layer)
    ids = tuple(member.model_id for member in selection.members)
    return pl.from_arrow(list(atom_batches(lk.reader, pointers, ids, 64))).lazy()


def test_the_most_uncertain_atoms_are_those_of_numpy(lk, result, atoms, latents):
    found = cluster_atoms(lk.reader, result, atoms, Settings(n_uncertain_atoms=40))
    everything = [(v, i, a) for i in SIZES for a, v in enumerate(trace(latents, i))]
    expected = sorted(everything, key=lambda each: (-each[0], *each[1:]))[:40]
    assert found.select("structure_id", "atom").rows() == [(i, a) for _, i, a in expected]
    np.testing.assert_allclose(
        found["latent_variance_trace"], [v for v, _, _ in expected], rtol=1e-5
    )
    numbers = {i: lk.atoms(i).numbers for i in SIZES}
    assert found["element"].to_list() == [SYMBOLS[numbers[i][a]] for _, i, a in expected]


def test_clusters_are_kinds_of_atoms(lk, result, atoms, latents):
    found = cluster_atoms(lk.reader, result, atoms, Settings(n_uncertain_atoms=60))
    means = np.array(
        [
            np.mean([latents[name][i][a].astype(float) for name in MEMBERS], axis=0)
            for i, a in found.select("structure_id", "atom").iter_rows()
        ]
    )
    np.testing.assert_allclose(mean_latents(lk.reader, result, found), means, rtol=1e-6)
    theirs = KMeans(5, n_init=10, random_state=0).fit_predict(means)
    pairs = set(zip(found["cluster"], theirs.tolist(), strict=True))
    assert len(pairs) == 5
    assert found["cluster"][0] == 1


def test_more_atoms_than_there_are_gives_all(lk, result, atoms):
    assert len(cluster_atoms(lk.reader, result, atoms)) == sum(SIZES.values())


def test_pointers_beyond_an_array_are_told(lk, result):
    beyond = pl.DataFrame({"dataset": ["slabs"], "structure_id": [3], "atom": [1_000_000]})
    with pytest.raises(CorruptLakeError, match="pointers name row"):
        mean_latents(lk.reader, result, beyond)


def test_the_command_writes_them_with_the_atoms(lk, tmp_path: Path):
    from click.testing import CliRunner

    from lake.cli import root

    words = ["--lake", lk.storage.uri, "query", "ood", "--set", "slabs", "--group", "T1"]
    more = ["--by-atom", "--no-figures", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(root, [*words, *more], env={"ATOMLAKE": None})
    assert done.exit_code == 0, done.output
    rows = pl.read_csv(tmp_path / "out" / "uncertain_atoms.csv")
    assert len(rows) == sum(SIZES.values())
    assert set(rows["cluster"]) == {1, 2, 3, 4, 5}
