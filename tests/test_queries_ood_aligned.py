"""The variance of aligned members as a score of structures, from the lake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from aligned_reference import aligned_variances, members
from lake_samples import append, structure
from numpy.typing import NDArray
from ood_samples import MEMBERS, add_latents, add_models, add_structures, ensemble_lake

import lake
from lake.errors import InvalidInputError
from lake.lake import Lake
from queries.ood import alignments, blocks
from queries.ood.choosing import Choice
from queries.ood.distances import score_with_distances
from queries.ood.result import ALIGNED, OodScores
from queries.ood.scoring import score

WIDTH = 8
N_OLD, N_NEW = 60, 12
N_ATOMS = {i: 5 + i % 7 for i in range(1, N_OLD + N_NEW + 1)}
SETS = {"sets": ["new=slabs: structure_id > 60"], "baseline": "old=slabs: structure_id <= 60"}
ByStructure = dict[int, NDArray[np.float64]]


def made_latents(seed: int = 0) -> dict[str, ByStructure]:
    """By member and structure, float32: what all share, in a basis of each member and element."""
    ends = np.cumsum(list(N_ATOMS.values()))
    is_oxygen = np.isin(np.arange(ends[-1]), ends - list(N_ATOMS.values()))  # the first of each
    latents = np.empty((4, ends[-1], WIDTH))
    for element, which in enumerate((is_oxygen, ~is_oxygen)):
        latents[:, which] = members(4, which.sum(), WIDTH, seed=seed + element)
    parts = np.split(latents.astype(np.float32), ends[:-1], axis=1)
    return {
        name: {i: part[m] for i, part in zip(N_ATOMS, parts, strict=True)}
        for m, name in enumerate(MEMBERS)
    }


def expected_score(latents: dict[str, ByStructure], identity: int) -> float:
    """The score by plain least squares; of an old structure without its fold."""
    fold = identity % 5 if identity <= N_OLD else None
    fitted_on = [i for i in N_ATOMS if i <= N_OLD and i % 5 != fold]
    of_atoms = []
    for atoms in (slice(0, 1), slice(1, None)):  # the oxygen, and the copper
        known, new = (
            np.stack([np.concatenate([of[i][atoms] for i in ids]) for of in latents.values()])
            for ids in (fitted_on, [identity])
        )
        of_atoms.append(aligned_variances(known.astype(float), new.astype(float)))
    return float(np.concatenate(of_atoms).mean())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, dict[str, ByStructure]]:
    latents = made_latents()
    lk, _ = ensemble_lake(tmp_path_factory.mktemp("aligned"), N_ATOMS, latents)
    return lk, latents


def aligned(result: OodScores) -> NDArray[np.float64]:
    return result.scores.sort("structure_id")[ALIGNED].to_numpy()


def test_scores_are_those_of_least_squares(whole: tuple[Lake, dict[str, ByStructure]]) -> None:
    lk, latents = whole
    result = score(lk, groups=["T1"], is_aligned=True, **SETS)
    assert len(result.scores) == N_OLD + N_NEW
    for identity in (1, 2, 3, 34, 60, 61, 66, 72):
        found = result.scores.filter(structure_id=identity)[ALIGNED].item()
        assert found == pytest.approx(expected_score(latents, identity), rel=1e-5), identity
    assert ALIGNED in result.statistics["score"].to_list()


@pytest.mark.parametrize(("rows", "rows_of_block"), [(4, 50), (100, 13), (8_192, 4)])
def test_blocks_of_any_size_give_the_same(
    whole: tuple[Lake, dict[str, ByStructure]],
    rows: int,
    rows_of_block: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Structures are cut at the ends of blocks and of parts, and put together again."""
    lk, _ = whole
    at_once = score(lk, groups=["T1"], is_aligned=True, **SETS)
    monkeypatch.setattr("queries.ood.atom_latents.ROWS", rows)
    monkeypatch.setattr(blocks, "MEBIBYTE", 1)
    monkeypatch.setattr(blocks, "LEAST_ROWS", rows_of_block)
    in_parts = score(lk, groups=["T1"], is_aligned=True, memory_mib=1, **SETS)
    np.testing.assert_allclose(aligned(in_parts), aligned(at_once), rtol=1e-9)


def test_a_member_in_another_basis_scores_the_same(
    whole: tuple[Lake, dict[str, ByStructure]], tmp_path: Path
) -> None:
    lk, latents = whole
    turn = np.random.default_rng(3).normal(size=(WIDTH, WIDTH))
    changed = {i: (z @ turn + 2).astype(np.float32) for i, z in latents["w3"].items()}
    other, _ = ensemble_lake(tmp_path, N_ATOMS, latents | {"w3": changed})
    results = [score(each, groups=["T1"], is_aligned=True, **SETS) for each in (lk, other)]
    np.testing.assert_allclose(aligned(results[1]), aligned(results[0]), rtol=1e-4)
    plain = [each.scores["latent_variance_trace"].mean() for each in results]
    assert plain[0] != pytest.approx(plain[1], rel=0.05)


def test_it_comes_with_distances_and_can_rank(whole: tuple[Lake, dict[str, ByStructure]]) -> None:
    lk, _ = whole
    plain, _ = score_with_distances(lk, groups=["T1"], choice=Choice(), distances=False, **SETS)
    assert ALIGNED not in plain.scores.columns
    ranked = score(lk, groups=["T1"], choice=Choice(score=ALIGNED, top=3), **SETS)
    best = ranked.scores.filter(set="new").sort(ALIGNED, descending=True)["structure_id"][:3]
    assert ranked.chosen["structure_id"].to_list() == best.to_list()
    pytest.importorskip("sklearn")
    with_distances, _ = score_with_distances(
        lk, groups=["T1"], choice=Choice(score=ALIGNED, top=3), is_mapped=False, **SETS
    )
    assert with_distances.chosen["structure_id"].to_list() == best.to_list()
    assert {ALIGNED, "mahalanobis"} <= set(with_distances.statistics["score"])


def test_without_a_baseline_it_is_refused(whole: tuple[Lake, dict[str, ByStructure]]) -> None:
    lk, _ = whole
    with pytest.raises(InvalidInputError, match=r"on what.*--baseline SET"):
        score(lk, sets=["slabs"], groups=["T1"], choice=Choice(score=ALIGNED))


def test_few_atoms_and_none_are_said_by_element(tmp_path: Path) -> None:
    latents = made_latents()
    lk = lake.create(str(tmp_path / "lake"))
    add_structures(lk, N_ATOMS)
    append(lk, structures=[structure(99, "slabs", 2, numbers=[8, 79], elements=["Au", "O"])])
    add_models(lk)
    for name, of in latents.items():
        add_latents(lk, name, of | {99: of[1][:2]})
    result = score(lk, groups=["T1"], is_aligned=True, **SETS)
    by_id = dict(result.scores.select("structure_id", ALIGNED).iter_rows())
    assert [i for i, value in by_id.items() if value is None] == [99]
    assert all(value > 0 for i, value in by_id.items() if i != 99)  # so nothing is NaN
    assert any("1 of 73 structures" in w and "Au (0)" in w for w in result.warnings)
    assert any("few atoms of O (60 of 180):" in w for w in result.warnings)
    few = score(
        lk,
        sets=["new=slabs: structure_id BETWEEN 61 AND 72"],
        baseline="old=slabs: structure_id <= 20",
        groups=["T1"],
        is_aligned=True,
    )
    assert few.scores[ALIGNED].null_count() == 32  # all have oxygen
    assert any("32 of 32" in w and "O (20)" in w and "Cu" not in w for w in few.warnings)


def test_what_is_fitted_has_to_fit_the_memory(
    whole: tuple[Lake, dict[str, ByStructure]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lk, _ = whole
    monkeypatch.setattr(alignments, "MEBIBYTE", 1_024)  # sums take 10 times 8 KiB
    monkeypatch.setattr(alignments, "LEAST_ROOM_MIB", 79)
    with pytest.raises(InvalidInputError, match=r"--memory 64.*32 features"):
        score(lk, groups=["T1"], is_aligned=True, memory_mib=64, **SETS)
    monkeypatch.setattr(alignments, "LEAST_ROOM_MIB", 80)
    score(lk, groups=["T1"], is_aligned=True, memory_mib=64, **SETS)


def test_structures_of_the_baseline_are_told_by_id_in_any_set(
    whole: tuple[Lake, dict[str, ByStructure]],
) -> None:
    lk, _ = whole
    result = score(
        lk,
        sets=["some=slabs: structure_id BETWEEN 50 AND 70"],
        baseline=SETS["baseline"],
        groups=["T1"],
        is_aligned=True,
    )
    twice = result.scores.filter(pl.len().over("structure_id") == 2)
    assert len(twice) == 22
    assert twice.group_by("structure_id").agg(pl.col(ALIGNED).n_unique())[ALIGNED].max() == 1
