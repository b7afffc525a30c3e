"""`atomlake query ood`: how it is asked, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ase.io import read
from click.testing import CliRunner
from ood_answers import FACETS, N_ATOMS, ask, ids, lake_of_slabs, quick
from ood_samples import ensemble_lake

import lake
from lake.cli import root
from lake.lake import Lake

made = lake_of_slabs


def test_diversity_by_metadata(made: tuple[Lake, dict[str, Any]], tmp_path: Path) -> None:
    quick(made[0], tmp_path, "--at-most", "2", "--per", "facet,set")
    chosen = ids(tmp_path)
    assert [FACETS[i] for i in chosen].count("100") == 2
    assert len(chosen) == 4


def test_what_is_said_of_the_files_is_said_aloud(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    result = quick(made[0], tmp_path, "--set", "last=slabs: structure_id = 40")
    said = "1 of the chosen have no cell, so there is no CIF of them."
    assert f"Note: {said}" in result.stderr
    assert said in json.loads((tmp_path / "manifest.json").read_text("utf-8"))["warnings"]
    assert "20 were. The first 10 stand above." in result.stderr


def test_distances_that_are_not_measured_are_said(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.ood.distances.find_spec", lambda _: None)
    words = ("--baseline", "old=slabs: structure_id <= 20")
    result = ask(made[0], tmp_path, "--no-figures", *words)
    assert result.exit_code == 0
    assert "Note: No distances from the baseline were measured: scikit-learn" in result.stderr
    assert "scikit-learn" not in quick(made[0], tmp_path, *words).stderr


def test_what_cannot_be_read_or_written_is_refused_before_anything_is_scored(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.ood.asking.score_with_distances", None)
    result = ask(made[0], tmp_path / "ood", "--no-figures", "--against", "nothing")
    assert "No table of scores is called 'nothing'." in result.stderr
    (tmp_path / "file").write_text("mine")
    result = ask(made[0], tmp_path / "file" / "ood", "--no-figures")
    assert result.exit_code == 1
    assert "Expected a folder you may write." in result.stderr


def test_scores_are_kept_in_the_lake(made: tuple[Lake, dict[str, Any]], tmp_path: Path) -> None:
    lk, _ = made
    quick(lk, tmp_path / "a", "--save", "mine")
    quick(lk, tmp_path / "b", "--save", "mine", "--top", "1")
    rows = lk.sql(
        "SELECT s.structure_id, o.latent_variance_trace FROM structures AS s "
        "JOIN ood_scores AS o USING (dataset, structure_id) WHERE o.saved_as = 'mine'"
    ).pl()
    assert sorted(rows["structure_id"]) == list(range(21, 41))
    quick(lk, tmp_path / "c", "--against", "mine")
    assert len(pl.read_csv(tmp_path / "c" / "against.csv")) == 20
    base = ["--lake", lk.storage.uri]
    dropped = CliRunner().invoke(root, [*base, "drop", "scores", "slabs", "mine"])
    assert dropped.exit_code == 0
    assert lk.scan("ood_scores").collect().is_empty()


@pytest.mark.slow
def test_distances_and_figures_where_there_is_a_baseline(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    words = ("--baseline", "old=slabs: structure_id <= 20", "--score", "mahalanobis")
    result = ask(made[0], tmp_path, *words, "--top", "4", "--at-most", "2", "--per", "cluster")
    assert result.exit_code == 0, result.output
    scores = pl.read_csv(tmp_path / "scores.csv", infer_schema_length=None)
    assert scores.columns.count("mahalanobis") == 1
    new = scores.filter(set="new")
    assert new["mahalanobis"].is_sorted(descending=True)
    chosen = pl.read_csv(tmp_path / "chosen.csv")
    assert chosen["cluster"].value_counts()["count"].max() <= 2
    frames = read(tmp_path / "chosen.extxyz", ":")
    for name in ("mahalanobis", "latent_variance_aligned"):
        told = [frame.info.get(f"ood_{name}") for frame in frames]
        assert told == pytest.approx(chosen[name].to_list())
    statistics = pl.read_csv(tmp_path / "statistics.csv")
    assert {"mahalanobis", "knn_mean_distance"} <= set(statistics["score"])
    there = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {"ood_maps.png", "ood_histograms.pdf", "ood_boxes.png"} <= there
    assert (tmp_path / "baseline.npz").exists()


@pytest.mark.slow
def test_keys_may_be_called_as_columns_are(tmp_path: Path) -> None:
    """Whatever a frame calls its keys, they take no column's place, in any file."""
    for needed in ("sklearn", "chemiscope"):
        pytest.importorskip(needed)
    keys = ("rank", "mahalanobis", "pca_1", "place", "row", "first", "other", "is_chosen", "T", "t")
    info = {i: json.dumps(dict.fromkeys(keys, i % 3) | {"is_chosen": "no"}) for i in N_ATOMS}
    lk, _ = ensemble_lake(tmp_path, N_ATOMS, info=info)
    quick(lk, tmp_path / "first", "--save", "first")
    words = ("--baseline", "old=slabs: structure_id <= 20", "--against", "first", "--report")
    result = ask(lk, tmp_path / "ood", *words, "--format", "xlsx", "--top", "2")
    assert result.exit_code == 0, result.output
    scores = pl.read_excel(tmp_path / "ood" / "scores.xlsx", engine="openpyxl")
    assert len(scores) == 40
    named = ("info_rank", "info_mahalanobis", "info_pca_1", "info_is_chosen", "place", "t (2)")
    assert set(named) <= set(scores.columns)
    new = scores.filter(set="new")
    assert new["rank"].to_list() == list(range(1, 21))
    assert new["mahalanobis"].dtype == pl.Float64
    assert new["place"].to_list() == [i % 3 for i in map(int, new["structure_id"])]
    page = (tmp_path / "ood" / "report.html").read_text("utf-8")
    assert page.count('"chosen"') == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--above", "0.1", "--above-quantile", "0.9"], "expected one cut-off"),
        (["--above-quantile", "0.9"], "Give --baseline SET"),
        (["--baseline", "slabs", "--above-quantile", "95"], "from 0 to 1"),
        (["--score", "latent_varianse_trace"], "Did you mean latent_variance_trace"),
        (["--distances"], "Expected a baseline set"),
        (["--at", "1", "--save", "x"], "expected one of them"),
        (["--per", "facet"], "belong together"),
        (["--set", "new=slabs"], "Two sets are called 'new'"),
        (["--layer", "3"], "latents of the layer '3'"),
        (["--score", "n_atoms"], "No score is called 'n_atoms'. There are: energy"),
        (["--score", "d_latent"], "Distances are scores where there are a --baseline"),
        (["--above", "nan"], "expected a number"),
        (["--save", "a b"], "cannot be the name"),
        (["--set", "x=slabs: n_atomz > 1"], "The set 'x': 'n_atomz > 1': Binder Error"),
        (["--no-distances", "--baseline-models", "b.npz"], "expected one of them"),
    ],
)
def test_wrong_options_are_said_without_traceback(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, words: Sequence[str], said: str
) -> None:
    result = ask(made[0], tmp_path / "out", "--no-figures", *words)
    assert result.exit_code != 0
    assert said in str(result.exception) + result.output
    assert not isinstance(result.exception, KeyError) or isinstance(
        result.exception, lake.errors.AtomlakeError
    )
    assert not (tmp_path / "out").exists()
