"""What must not change a score: the order of anything, how latents are stored, how much is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ood_reference as reference
import polars as pl
import pytest
from ood_reference_lake import Known, make_known, make_lake
from ood_samples import ensemble_lake, random_latents, trace

from lake.lake import Lake
from queries.ood.baseline import DISTANCES, BaselineScores, write_baseline
from queries.ood.choosing import Choice
from queries.ood.distances import score_with_distances
from queries.ood.pointers import read_pointers
from queries.ood.result import SCORES, OodScores
from queries.ood.saved import save_scores
from queries.ood.scoring import score
from queries.ood.structure_scores import atom_batches

NAMES = (*SCORES, *(f"latent_variance_trace_{each}" for each in ("Li", "O", "Zr")), *DISTANCES)
OF_ELEMENT = "latent_variance_trace_"
KEYS = ["set", "dataset", "structure_id"]


@pytest.fixture(scope="module")
def known() -> Known:
    return make_known(n_train=110, n_new=40, n_shared=10, seed=3)


def ask(lk: Lake, choice: Choice | None = None, **options: Any) -> tuple[OodScores, BaselineScores]:
    result, measured = score_with_distances(
        lk,
        choice=choice or Choice(),
        groups=["T1"],
        by_element=True,
        is_mapped=False,
        **({"sets": ["new"], "baseline": "train"} | options),
    )
    assert measured is not None
    return result, measured


@pytest.fixture(scope="module")
def lk(known: Known, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return make_lake(tmp_path_factory.mktemp("one"), known)


@pytest.fixture(scope="module")
def answer(lk: Lake) -> tuple[OodScores, BaselineScores]:
    return ask(lk)


def check_same(found: OodScores, expected: OodScores) -> None:
    """Scores, clusters, what is chosen, statistics: whatever the rows are sorted by."""
    one, other = (each.scores.sort(KEYS) for each in (found, expected))
    assert one.select(*KEYS, "rank", "cluster").equals(other.select(*KEYS, "rank", "cluster"))
    assert one["energy_disagreement"].equals(other["energy_disagreement"])  # to the last bit
    for name in NAMES:
        assert one[name].is_null().equals(other[name].is_null())
        np.testing.assert_allclose(one[name], other[name], rtol=1e-7, err_msg=name)
    assert found.chosen["structure_id"].equals(expected.chosen["structure_id"])
    assert found.cut_offs == pytest.approx(expected.cut_offs, rel=1e-7)
    values = ["mean", "std", "q50", "q90", "q95", "q99"]
    statistics = (each.statistics.sort("set", "score") for each in (found, expected))
    ours, theirs = (each.select("n_structures", *values).to_numpy() for each in statistics)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)


@pytest.mark.parametrize(
    "change",
    [
        {"members": (2, 0, 3, 1)},
        {"order": 11},
        {"n_stores": 1},
        {"members": (3, 2, 1, 0), "order": 5, "n_stores": 7},
    ],
    ids=["members", "structures", "stores", "all"],
)
def test_order_and_stores_leave_all_numbers(
    known: Known, answer: tuple[OodScores, BaselineScores], change: dict[str, Any], tmp_path: Path
) -> None:
    check_same(ask(make_lake(tmp_path, known, **change))[0], answer[0])


def test_ranking_by_a_distance_leaves_all_numbers(
    lk: Lake, answer: tuple[OodScores, BaselineScores]
) -> None:
    found, _ = ask(lk, Choice(score="knn_mean_distance"))
    one, other = (each.scores.sort(KEYS).select(NAMES) for each in (found, answer[0]))
    assert one.equals(other)  # to the last bit: ties go by structure_id only where they are ties
    of_new = found.scores.filter(set="new")
    ids = of_new["structure_id"].to_list()
    expected = reference.ranking(of_new["knn_mean_distance"].to_numpy(), ids)
    assert found.chosen["structure_id"].to_list() == expected[:30]
    # Clusters are numbered by the score that ranks, which here is known after the first round.
    firsts = of_new.sort("rank").unique("cluster", keep="first", maintain_order=True)
    assert firsts["cluster"].to_list() == [1, 2, 3, 4, 5]


def test_where_nothing_is_drawn_no_map_of_neighbours_is_made(
    answer: tuple[OodScores, BaselineScores],
) -> None:
    """It takes longer than all else."""
    assert answer[1].map["t_sne_1"].null_count() == len(answer[1].map) == 140


def test_a_kept_baseline_gives_the_same_in_a_lake_of_another_order(
    known: Known, answer: tuple[OodScores, BaselineScores], tmp_path: Path
) -> None:
    """Nothing is fitted again: the set it came from need not be asked for."""
    result, measured = answer
    path = write_baseline(measured.baseline, tmp_path / "baseline.npz")
    other = make_lake(tmp_path, known, order=23)
    found, again = ask(other, baseline=None, kept=path)
    assert again.baseline.origin.lake_version == result.lake_version
    one = found.scores.sort(KEYS).select(DISTANCES).to_numpy()
    expected = result.scores.filter(set="new").sort(KEYS).select(DISTANCES).to_numpy()
    np.testing.assert_allclose(one, expected, rtol=1e-9)


def test_more_structures_in_the_set_leave_the_distances(
    lk: Lake, answer: tuple[OodScores, BaselineScores]
) -> None:
    """The models see the baseline alone: half of the set has the numbers it has in the whole."""
    result, measured = ask(lk, sets=["half=new: structure_id > 0"])
    whole = answer[0].scores.filter((pl.col("set") == "new") & (pl.col("structure_id") > 0))
    half = result.scores.filter(set="half")
    assert 0 < len(half) < 40
    one, other = (each.sort("structure_id").select(DISTANCES).to_numpy() for each in (half, whole))
    np.testing.assert_allclose(one, other, rtol=1e-9)
    np.testing.assert_array_equal(
        measured.baseline.components.variances, answer[1].baseline.components.variances
    )


def test_memory_leaves_all_numbers(tmp_path: Path) -> None:
    """12,000 atoms of 64 features are one block, or three; the largest structure spans two."""
    sizes = dict(enumerate([6000, *range(10, 410, 13)], start=1))
    latents = random_latents(sizes, n_features=64)
    lk, _ = ensemble_lake(tmp_path, sizes, latents)
    found = []
    for memory_mib in (16, 20, 512):
        result = score(lk, sets=["slabs"], groups=["T1"], by_element=True, memory_mib=memory_mib)
        found.append(result.scores)
    for each in found[1:]:
        assert each.equals(found[0])
    for identity, value in found[0].select("structure_id", "latent_variance_trace").rows():
        assert value == pytest.approx(trace(latents, identity).mean(), rel=1e-6)


def test_half_precision_is_scored_as_it_is_kept(known: Known, tmp_path: Path) -> None:
    lk = make_lake(tmp_path, known, dtype="float16")
    result, _ = ask(lk)
    kept = {i: z.astype(np.float16) for i, z in known.latents.items()}
    for row in result.scores.iter_rows(named=True):
        i = row["structure_id"]
        for name, value in reference.variance_scores(kept[i], known.symbols(i)).items():
            assert row[name] == pytest.approx(value, rel=1e-6), name
    fitted_ids, ids = known.ids["train"], known.ids["new"]
    fitted_on, asked = (
        np.stack([reference.embedding(kept[i]) for i in each]) for each in (fitted_ids, ids)
    )
    columns = reference.principal_distances(fitted_on, asked)
    columns |= reference.neighbour_distances(fitted_on, fitted_ids, asked, ids)
    of_new = {row["structure_id"]: row for row in result.scores.filter(set="new").to_dicts()}
    for name, values in columns.items():
        np.testing.assert_allclose([of_new[i][name] for i in ids], values, rtol=1e-6, err_msg=name)


def test_atoms_of_a_shared_structure_are_given_for_each_dataset(lk: Lake, known: Known) -> None:
    result = score(lk, sets=["new", "train"], groups=["T1"], by_element=True)
    of_elements = [name for name in result.scores.columns if name in NAMES and OF_ELEMENT in name]
    assert of_elements[-3:] == [f"{OF_ELEMENT}{each}" for each in ("Li", "O", "Zr")]
    members = result.selection.members
    pointers, _ = read_pointers(lk.reader, result.scores, members, "last")
    ids = tuple(member.model_id for member in members)
    atoms = pl.concat([pl.DataFrame(each) for each in atom_batches(lk.reader, pointers, ids, 64)])
    shared = set(known.ids["new"]) & set(known.ids["train"])
    assert len(shared) == 10
    for identity in shared:
        expected = reference.atom_variances(known.latents[identity])
        for dataset in ("new", "train"):
            rows = atoms.filter(dataset=dataset, structure_id=identity)
            np.testing.assert_allclose(rows["latent_variance_trace"], expected, rtol=1e-6)


def test_scores_of_a_shared_structure_are_saved_for_each_dataset(
    known: Known, tmp_path: Path
) -> None:
    lk = make_lake(tmp_path, known)
    both = score(lk, sets=["new", "train"], groups=["T1"])
    assert save_scores(lk, both, "first").n_added == 150
    again = score(lk, sets=["new"], groups=["T1"], against=["first"])
    assert again.against["dataset"].to_list() == ["new"] * 40
