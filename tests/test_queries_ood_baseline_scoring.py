"""Distances for the structures of an answer: rows, sets that share structures, and clusters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ood_map_samples import Sample, answer, embeddings, measured
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from lake.errors import InvalidInputError
from queries.ood.baseline import DISTANCES, Settings, write_baseline
from queries.ood.baseline.distances import distances_of
from queries.ood.baseline.scoring import check_origin, fit_set, measure
from queries.ood.result import IDENTITY

SMALL = Sample(n={"T1": 80, "T2": 40}, n_top=6)
QUICK = Settings(n_uncertain=50, n_on_map=60)


@pytest.fixture(scope="module")
def both():
    return measured(SMALL, QUICK)


def test_rows_are_those_of_the_answer(both):
    result, found = both
    assert found.scores.select(IDENTITY).equals(result.scores.select(IDENTITY))
    assert set(DISTANCES) < set(result.scores.columns)
    assert result.chosen["rank"].to_list() == [1, 2, 3, 4, 5, 6]
    joined = result.chosen.join(found.scores, on=list(IDENTITY), maintain_order="left")
    assert joined["d_latent"].equals(joined["d_latent_right"])


def test_only_the_baseline_set_is_fitted_on(both):
    _, found = both
    _, vectors = embeddings(SMALL)
    assert found.baseline.identities.tolist() == list(range(80))
    expected = PCA(0.95).fit(vectors[:80])
    np.testing.assert_allclose(found.baseline.kept.variances, expected.explained_variance_)


def test_what_is_far_out_scores_high(both):
    result, _ = both
    means = result.scores.group_by("set").agg(pl.mean(*DISTANCES)).sort("set")
    for name in ("d_latent", "mahalanobis", "knn_mean_distance", "negative_log_likelihood"):
        inside, outside = means[name]
        assert outside > inside


def test_clusters_are_of_the_most_uncertain_alone(both):
    result, found = both
    scores = result.scores.sort("rank")
    clusters = scores["cluster"].to_list()
    assert clusters[0] == 1
    assert set(clusters[:50]) == {1, 2, 3, 4, 5}
    assert set(clusters[50:]) == {None}
    _, vectors = embeddings(SMALL)
    order = result.scores.with_row_index("row").sort("rank")["row"].to_numpy()[:50]
    points = found.baseline.kept.coordinates(vectors[order])
    theirs = KMeans(5, n_init=10, random_state=0).fit_predict(points)
    pairs = set(zip(clusters[:50], theirs.tolist(), strict=True))
    assert len(pairs) == 5  # the same clusters under other numbers


def test_the_map_has_each_structure_once_and_the_chosen_always(both):
    result, found = both
    assert found.map["structure_id"].is_unique().all()
    assert len(found.map) == 120
    placed = found.map.drop_nulls("t_sne_1")
    assert len(placed) == 60
    assert set(result.chosen["structure_id"]) <= set(placed["structure_id"])
    assert found.map.filter("is_chosen")["structure_id"].n_unique() == 6
    again = measured(SMALL, QUICK)[1]
    assert again.map.equals(found.map)


def test_a_map_of_neighbours_may_be_left_out(both):
    result, _ = both
    rows, vectors = embeddings(SMALL)
    baseline = fit_set(result, rows, vectors)
    found = measure(result, baseline, rows, vectors, is_mapped=False)
    assert found.map["t_sne_1"].null_count() == 120
    assert found.map["pca_1"].null_count() == 0


def test_a_structure_of_two_sets_is_not_its_own_neighbour_in_either():
    result = answer(SMALL)
    rows, vectors = embeddings(SMALL)
    # The first of T2 is the first of T1, and so are its latents.
    shared = pl.when((pl.col("set") == "T2") & (pl.col("structure_id") == 10_000)).then(0)
    rows = rows.with_columns(shared.otherwise("structure_id").alias("structure_id"))
    vectors[80] = vectors[0]
    result = replace(result, scores=rows.hstack(result.scores.drop(IDENTITY)))
    found = measure(result, fit_set(result, rows, vectors), rows, vectors, is_mapped=False)
    twice = found.scores.filter(structure_id=0)
    assert len(twice) == 2
    assert twice["knn_kth_distance"][0] == twice["knn_kth_distance"][1] > 0
    assert "1 of the 40 structures of T2 are in the baseline T1 too" in " ".join(found.warnings)
    assert len(found.map) == 119


def test_without_a_baseline_there_is_nothing_to_measure_by():
    result = answer(replace(SMALL, baseline=None))
    with pytest.raises(InvalidInputError, match="--baseline"):
        fit_set(result, *embeddings(SMALL))


def test_a_baseline_that_was_kept_is_of_the_same_latents(both, tmp_path: Path):
    result, found = both
    path = write_baseline(found.baseline, tmp_path / "b.npz")
    selection = result.selection
    reversed_members = replace(selection, members=selection.members[::-1])
    check_origin(found.baseline, reversed_members, path)
    with pytest.raises(InvalidInputError, match="4 models, 3 of which are among the 3"):
        check_origin(found.baseline, replace(selection, members=selection.members[1:]), path)
    with pytest.raises(InvalidInputError, match=r"layer last.*layer 0"):
        check_origin(found.baseline, replace(selection, layer="0"), path)


def test_a_baseline_alone_can_be_scored():
    """Every structure is of the baseline, and each is measured against the others."""
    sample = Sample(n={"T1": 90}, n_top=3)
    result, found = measured(sample, QUICK, is_mapped=False)
    expected = distances_of(found.baseline, found.baseline.identities, found.baseline.vectors)
    assert result.scores.select(DISTANCES).equals(expected)
    assert found.warnings == ()
