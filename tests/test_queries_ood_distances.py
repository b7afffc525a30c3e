"""Distances from a baseline of a lake: fitted, kept, and applied again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from ood_map_answers import SIZES, lake_of_maps, scores_with_distances
from ood_samples import MEMBERS, random_latents

from lake.cli import root
from lake.errors import InvalidInputError
from queries.ood.baseline import Settings, score_baseline, write_baseline
from queries.ood.baseline.distances import distances_of

pytest.importorskip("jinja2", reason="the extra `plots` is not installed")

lk, answer = lake_of_maps, scores_with_distances


def invoke(*words: str) -> Result:
    return CliRunner().invoke(root, words, env={"ATOMLAKE": None})


def test_embeddings_are_means_over_members_and_atoms(lk, answer):
    result, measured = answer
    expected = {}
    for name, ids in (("train", range(40)), ("new", range(40, 60))):
        latents = random_latents({i: SIZES[i] for i in ids}, n_features=6)
        for i in ids:
            means = [latents[member][i].astype(float).mean(axis=0) for member in MEMBERS]
            expected[name, i] = np.mean(means, axis=0)
    rows = result.scores.select("dataset", "structure_id").rows()
    vectors = np.array([expected[row] for row in rows])
    found = distances_of(measured.baseline, np.array([i for _, i in rows]), vectors)
    for name in found.columns:
        np.testing.assert_allclose(result.scores[name], found[name], rtol=2e-4, atol=1e-6)


def test_a_baseline_that_was_kept_is_applied_as_it_is(lk, answer, tmp_path: Path):
    result, measured = answer
    path = write_baseline(measured.baseline, tmp_path / "baseline.npz")
    without = replace(result, selection=replace(result.selection, baseline=None))
    again = score_baseline(without, lk.reader, kept=path, is_mapped=False)
    assert again.scores["d_latent"].equals(measured.scores["d_latent"])
    with pytest.raises(InvalidInputError, match="--baseline"):
        score_baseline(without, lk.reader)
    other = score_baseline(result, lk.reader, Settings(n_neighbours=1), is_mapped=False)
    nearest = other.scores["knn_kth_distance"]
    assert (nearest <= measured.scores["knn_kth_distance"]).all()


def test_the_command_keeps_a_baseline_and_applies_it(lk, tmp_path: Path):
    where = ("--lake", lk.storage.uri, "query", "ood", "--set", "new", "--group", "T1")
    more = ("--no-figures", "--format", "parquet", "--top", "4")
    first, second = tmp_path / "first", tmp_path / "second"
    done = invoke(*where, "--baseline", "train", *more, "--report", "-o", str(first))
    assert done.exit_code == 0, done.output
    kept = first / "baseline.npz"
    done = invoke(*where, "--baseline-models", str(kept), *more, "-o", str(second))
    assert done.exit_code == 0, done.output
    names = ["structure_id", "d_latent", "knn_mean_distance", "negative_log_likelihood"]
    of_new = pl.read_parquet(first / "scores.parquet").filter(set="new").select(names)
    assert pl.read_parquet(second / "scores.parquet").select(names).equals(of_new)
    manifest = json.loads((first / "manifest.json").read_text())
    assert {"report.html", "baseline.npz"} < {each["path"] for each in manifest["files"]}
    assert not (second / "report.html").exists()


def test_a_baseline_of_other_models_is_refused(lk, answer, tmp_path: Path):
    _, measured = answer
    origin = replace(measured.baseline.origin, members=("w1", "w2", "w3", "x"))
    path = write_baseline(replace(measured.baseline, origin=origin), tmp_path / "b.npz")
    where = ("--lake", lk.storage.uri, "query", "ood", "--set", "new", "--group", "T1")
    for file, said in ((path, "4 models, 3 of which are among the 4"), ("no.npz", "is not there")):
        done = invoke(*where, "--baseline-models", str(file), "-o", str(tmp_path / "out"))
        assert done.exit_code == 2
        assert said in done.output
    done = invoke(*where, "--distances", "-o", str(tmp_path / "out"))
    assert done.exit_code == 2
    assert "--baseline-models FILE" in done.output
