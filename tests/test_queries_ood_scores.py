"""Scores of structures, beside the same numbers in numpy."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_samples import append, prediction, vectors
from ood_samples import (
    MEMBERS,
    add_latents,
    add_models,
    add_predictions,
    add_structures,
    ensemble_lake,
    random_latents,
    trace,
)

import lake
from lake.lake import Lake
from queries.ood import blocks
from queries.ood.atom_variances import read_variances
from queries.ood.embeddings import structure_embeddings
from queries.ood.pairwise import variances
from queries.ood.pointers import read_pointers
from queries.ood.scoring import score
from queries.ood.structure_scores import atom_batches

N_ATOMS = {1: 1, 2: 7, 3: 40, 4: 12, 5: 33, 6: 5, 7: 21}
FLOAT32 = 1e-5


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, dict]:
    lk, latents = ensemble_lake(tmp_path_factory.mktemp("ood"), N_ATOMS)
    return lk, dict(latents)


@given(
    n_members=st.integers(2, 6),
    width=st.integers(1, 20),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    spread=st.sampled_from([1e-2, 1.0]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_variances_are_those_of_numpy(
    n_members: int, width: int, scale: float, spread: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    shared = random.normal(size=(300, width))
    vectors = [
        (scale * (shared + spread * random.normal(size=shared.shape))).astype(np.float32)
        for _ in range(n_members)
    ]
    found = variances(duckdb.connect(), vectors)
    expected = np.var(np.stack(vectors).astype(np.float64), axis=0).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=FLOAT32)


def test_variances_of_many_rows_stand_at_their_rows() -> None:
    random = np.random.default_rng(0)
    vectors = [random.normal(size=(20_000, 3)) for _ in range(3)]
    found = variances(duckdb.connect(), vectors)
    np.testing.assert_allclose(found, np.var(vectors, axis=0).sum(axis=1), rtol=1e-12)


def test_scores_are_what_the_definition_says(whole: tuple[Lake, dict]) -> None:
    lk, latents = whole
    scores = score(lk, sets=["slabs"], groups=["T1"], by_element=True).scores
    for row in scores.iter_rows(named=True):
        of_atoms = trace(latents, row["structure_id"])
        expected = {
            "latent_variance_trace": of_atoms.mean(),
            "latent_variance_mean": of_atoms.mean() / 8,
            "latent_variance_trace_max": of_atoms.max(),
            "latent_variance_trace_p95": np.quantile(of_atoms, 0.95),
        }
        if len(of_atoms) > 1:
            expected["latent_variance_trace_O"] = of_atoms[0]
            expected["latent_variance_trace_Cu"] = of_atoms[1:].mean()
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, rel=FLOAT32), name
    assert scores.filter(structure_id=1)["latent_variance_trace_O"].item() is None
    assert len(scores) == len(N_ATOMS)


def test_trace_is_the_number_of_features_times_the_mean(whole: tuple[Lake, dict]) -> None:
    lk, _ = whole
    scores = score(lk, sets=["slabs"], groups=["T1"]).scores
    np.testing.assert_allclose(
        scores["latent_variance_trace"], 8 * scores["latent_variance_mean"], rtol=1e-14
    )


def test_scores_do_not_depend_on_the_order_of_members(tmp_path: Path) -> None:
    latents = random_latents(N_ATOMS)
    found = []
    for k, names in enumerate((MEMBERS, MEMBERS[::-1], ("w3", "w1", "w4", "w2"))):
        renamed = {f"v{i}": latents[name] for i, name in enumerate(names)}
        lk, _ = ensemble_lake(tmp_path / str(k), N_ATOMS, renamed)
        scores = score(lk, sets=["slabs"], models=["v*"]).scores
        found.append(scores["latent_variance_trace"].to_numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-6)


def test_members_that_agree_score_zero(tmp_path: Path) -> None:
    one = random_latents(N_ATOMS, ("w1",))["w1"]
    lk, _ = ensemble_lake(tmp_path, N_ATOMS, dict.fromkeys(MEMBERS, one))
    result = score(lk, sets=["slabs"], groups=["T1"])
    names = [name for name in result.scores.columns if name.startswith("latent_variance")]
    assert (result.scores.select(pl.max_horizontal(names)).to_series() == 0).all()
    assert result.chosen["structure_id"].to_list() == sorted(N_ATOMS)  # all tie


def test_float16_is_scored_as_it_was_kept_and_said(tmp_path: Path) -> None:
    halves = {
        name: {i: z.astype(np.float16) for i, z in of.items()}
        for name, of in random_latents(N_ATOMS).items()
    }
    lk = lake.create(str(tmp_path / "lake"))
    add_structures(lk, N_ATOMS)
    add_models(lk)
    for name, of in halves.items():
        add_latents(lk, name, of, dtype="float16")
    result = score(lk, sets=["slabs"], groups=["T1"])
    for identity, value in result.scores.select("structure_id", "latent_variance_trace").rows():
        assert value == pytest.approx(trace(halves, identity).mean(), rel=FLOAT32)
    assert any("float16" in warning for warning in result.warnings)


@pytest.mark.parametrize("rows", [4, 5, 17, 1000])
def test_blocks_of_any_size_give_the_same(
    whole: tuple[Lake, dict], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Structures are cut at the ends of blocks, and put together again."""
    lk, latents = whole
    monkeypatch.setattr(blocks, "LEAST_ROWS", rows)
    result = score(lk, sets=["slabs"], groups=["T1"])
    ids = tuple(member.model_id for member in result.selection.members)
    pointers, _ = read_pointers(lk.reader, result.scores, result.selection.members, "last")
    n_seen = 0
    for part in read_variances(lk.reader, pointers, ids, memory_mib=0):
        bounds = np.cumsum(part.n_atoms)[:-1]
        each = np.split(part.variance, bounds)
        n_seen += len(each)
        for identity, found in zip(part.structure_ids.tolist(), each, strict=True):
            np.testing.assert_allclose(found, trace(latents, identity), rtol=FLOAT32)
    assert n_seen == len(N_ATOMS)


def test_stores_in_any_order_and_number_are_aligned(tmp_path: Path) -> None:
    """One member in one store, others in several, shuffled, with structures nobody asks for."""
    random = np.random.default_rng(4)
    n_atoms = {i: int(n) for i, n in enumerate(random.integers(1, 300, 60), start=1)}
    latents = random_latents(n_atoms, seed=2)
    lk = lake.create(str(tmp_path / "lake"))
    add_structures(lk, n_atoms)
    add_models(lk)
    add_latents(lk, "w1", latents["w1"])
    for name in MEMBERS[1:]:
        order = random.permutation(list(n_atoms)).tolist()
        for part in (order[:13], order[13:]):
            add_latents(lk, name, {i: latents[name][i] for i in part}, order=part)
    result = score(lk, sets=["odd=slabs: structure_id % 3 = 1"], groups=["T1"], memory_mib=1)
    assert result.scores["structure_id"].to_list() == [i for i in n_atoms if i % 3 == 1]
    for identity, value in result.scores.select("structure_id", "latent_variance_trace").rows():
        assert value == pytest.approx(trace(latents, identity).mean(), rel=FLOAT32)


def test_atoms_come_with_element_and_place(whole: tuple[Lake, dict]) -> None:
    lk, latents = whole
    result = score(lk, sets=["slabs"], groups=["T1"])
    members = result.selection.members
    pointers, _ = read_pointers(lk.reader, result.scores, members, "last")
    ids = tuple(member.model_id for member in members)
    rows = pl.concat(map(pl.from_arrow, atom_batches(lk.reader, pointers, ids, 64)))
    assert len(rows) == sum(N_ATOMS.values())
    of_five = rows.filter(structure_id=5).sort("atom")
    np.testing.assert_allclose(of_five["latent_variance_trace"], trace(latents, 5), rtol=FLOAT32)
    assert of_five["number"].to_list() == [8] + [29] * 32


def test_embeddings_are_means_over_members_and_atoms(whole: tuple[Lake, dict]) -> None:
    lk, latents = whole
    result = score(lk, sets=["slabs", "few=slabs: n_atoms < 10"], groups=["T1"])
    rows, vectors = structure_embeddings(lk.reader, result)
    assert rows.equals(result.scores.select(rows.columns))
    for identity, vector in zip(rows["structure_id"], vectors, strict=True):
        expected = np.mean(
            [of[identity].mean(axis=0, dtype=np.float64) for of in latents.values()], 0
        )
        np.testing.assert_allclose(vector, expected, rtol=1e-6, atol=1e-7)


def test_energies_and_forces_disagree_as_defined(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    random = np.random.default_rng(7)
    energies = {m: {i: -3.0 * n + random.normal() for i, n in N_ATOMS.items()} for m in MEMBERS}
    forces = {m: {i: random.normal(size=(n, 3)) for i, n in N_ATOMS.items()} for m in MEMBERS}
    for k, name in enumerate(MEMBERS):
        ids = [i for i in N_ATOMS if not (name == "w2" and i == 3)]
        ids = ids[k:] + ids[:k]
        add_predictions(lk, name, {i: energies[name][i] for i in ids}, forces[name])
    result = score(lk, sets=["slabs"], groups=["T1"])
    for row in result.scores.iter_rows(named=True):
        i, n = row["structure_id"], row["n_atoms"]
        if i == 3:
            assert row["energy_disagreement"] is row["force_disagreement"] is None
            continue
        energy = np.std([energies[m][i] for m in MEMBERS]) / n
        stacked = np.stack([forces[m][i] for m in MEMBERS])
        force = np.sqrt(((stacked - stacked.mean(0)) ** 2).sum(2).mean(0)).mean()
        assert row["energy_disagreement"] == pytest.approx(energy, rel=1e-9)
        assert row["force_disagreement"] == pytest.approx(force, rel=1e-9)
    assert sum("1 of 7 rows have no" in warning for warning in result.warnings) == 2


def test_forces_of_an_earlier_model_of_the_name_do_not_count(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, {1: 3})
    old = prediction(1, "slabs", 3, model="w1", model_id=999, forces=vectors(3, 50.0))
    append(lk, predictions=[old])
    for name in MEMBERS:
        add_predictions(lk, name, {1: 0.0}, {1: np.ones((3, 3))})
    result = score(lk, sets=["slabs"], groups=["T1"])
    assert result.scores["energy_disagreement"].item() == 0
    assert result.scores["force_disagreement"].item() in (None, 0)


def test_sets_of_several_datasets_keep_their_order(tmp_path: Path) -> None:
    lk, latents = ensemble_lake(tmp_path, {1: 3, 2: 4})
    more = random_latents({2: 4, 9: 2}, seed=5)
    add_structures(lk, {2: 4, 9: 2}, "other")
    for name, of in more.items():
        add_latents(lk, name, of, "other")
    result = score(lk, sets=["other", "slabs"], groups=["T1"])
    assert result.scores.select("set", "structure_id").rows() == [
        ("other", 2), ("other", 9), ("slabs", 1), ("slabs", 2),
    ]  # fmt: skip
    of_two = result.scores.filter(structure_id=2)
    assert of_two["latent_variance_trace"].to_list() == pytest.approx(
        [trace(more, 2).mean(), trace(latents, 2).mean()], rel=FLOAT32
    )
    assert of_two["rank"].n_unique() == 1  # one structure
    assert result.chosen["structure_id"].n_unique() == len(result.chosen) == 3


def test_keys_of_frames_become_columns(tmp_path: Path) -> None:
    infos = {
        1: {"facet": "100", "strain": -3, "rank": 7, "list": [1]},
        2: {"facet": "111", "strain": 0.5, "is_hot": True},
        3: {"facet": 110},
    }
    lk, _ = ensemble_lake(
        tmp_path, dict.fromkeys(infos, 2), info={i: json.dumps(info) for i, info in infos.items()}
    )
    result = score(lk, sets=["slabs"], groups=["T1"])
    assert result.metadata == ("facet", "is_hot", "info_rank", "strain")
    columns = result.scores.select(result.metadata).to_dict(as_series=False)
    assert columns == {
        "facet": ["100", "111", "110"],
        "is_hot": [None, True, None],
        "info_rank": [7, None, None],
        "strain": [-3.0, 0.5, None],
    }
