"""What is missing or cannot be compared is said, and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lake_samples import append, failed_prediction
from ood_samples import (
    DEFINITION,
    MEMBERS,
    add_latents,
    add_models,
    add_structures,
    ensemble_lake,
    number,
    random_latents,
    trace,
)

import lake
from lake.errors import ConflictError, CorruptLakeError, InvalidInputError, NotFoundError
from lake.lake import Lake
from queries.ood.choosing import Choice
from queries.ood.saved import save_scores
from queries.ood.scoring import score

N_ATOMS = {1: 2, 2: 3, 3: 4}


def uneven(folder: Path, **left_out: list[int]) -> Lake:
    """A lake whose members lack the latents of some structures."""
    lk = lake.create(str(folder / "lake"))
    add_structures(lk, N_ATOMS)
    add_models(lk)
    for name, of in random_latents(N_ATOMS).items():
        kept = {i: z for i, z in of.items() if i not in left_out.get(name, [])}
        if kept:
            add_latents(lk, name, kept)
    return lk


def refused(lk: Lake, said: str, error: type[Exception] = InvalidInputError, **options: Any) -> str:
    asked = {"sets": ["slabs"], "groups": ["T1"], **options}
    with pytest.raises(error, match=said) as caught:
        score(lk, **asked)
    return str(caught.value)


def test_one_name_needs_no_list(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    one = lk.query("ood", sets="slabs", groups="T1")
    listed = lk.query("ood", sets=["slabs"], groups=["T1"])
    assert one.scores.equals(listed.scores)
    assert one.question == listed.question


def test_a_question_takes_the_fields_of_a_rule_or_the_rule(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    fields = lk.query("ood", sets="slabs", groups="T1", top=1)
    assert len(fields.chosen) == 1
    rule = lk.query("ood", sets="slabs", groups="T1", choice=Choice(top=1))
    assert rule.chosen.equals(fields.chosen)
    with pytest.raises(InvalidInputError, match=r"choice and top: expected the rule, or its"):
        lk.query("ood", sets="slabs", groups="T1", choice=Choice(top=1), top=1)


def test_a_question_with_a_baseline_measures_distances(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    lk, _ = ensemble_lake(tmp_path, dict.fromkeys(range(1, 9), 5))
    result = lk.query("ood", sets="slabs", groups="T1", baseline="slabs")
    assert result.scores["d_latent"].null_count() == 0
    assert "d_latent" not in lk.query("ood", sets="slabs", groups="T1").scores.columns


def test_a_member_without_some_latents_is_named_with_what_computes_them(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w2=[3], w4=[1, 3])
    text = refused(lk, "2 of the 3 structures cannot be compared")
    assert "1 of slabs by w2, 2 of slabs by w4" in text
    assert "atomlake compute latents --dataset slabs --model w2" in text
    assert "the 1 that have everything with --allow-partial" in text


def test_partial_scores_use_what_all_have_and_say_so(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w2=[3], w4=[1, 3])
    result = score(lk, sets=["slabs"], groups=["T1"], allow_partial=True)
    assert result.scores["structure_id"].to_list() == [2]
    value = result.scores["latent_variance_trace"].item()
    assert value == pytest.approx(trace(random_latents(N_ATOMS), 2).mean(), rel=1e-5)
    assert result.warnings[0].startswith("Scored are 1 of the 3 structures.")
    assert result.selection.is_partial_allowed


def test_structures_that_failed_are_told_from_those_never_tried(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w2=[2, 3])
    failed = failed_prediction(3, dataset="slabs", n_atoms=4, model="w2", model_id=number("w2"))
    append(lk, predictions=[failed])
    text = refused(lk, "Not computed: 1 of slabs by w2")
    assert "Failed: 1 of slabs by w2 (e.g. structure 3): atomlake compute retry --failed" in text


def test_nothing_that_all_have_is_an_error_even_in_part(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w1=[1], w2=[2], w3=[3])
    refused(lk, "at least one structure that all have", allow_partial=True)


def test_a_set_of_which_nothing_is_left_is_named(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w1=[1])
    sets = ["one=slabs: structure_id = 1", "rest=slabs: structure_id > 1"]
    refused(lk, "Nothing is left of the set one", sets=sets, allow_partial=True)


def test_another_number_of_atoms_is_found(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w3=[2])
    add_latents(lk, "w3", {2: np.ones((7, 8), np.float32)})
    refused(lk, "Of another number of atoms: 1 of slabs by w3")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_named(tmp_path: Path, bad: float) -> None:
    latents = random_latents(N_ATOMS)
    latents["w3"][2][1, 4] = bad
    lk, _ = ensemble_lake(tmp_path, N_ATOMS, latents)
    text = refused(lk, r"Not finite numbers: 1 of slabs by w3 \(e.g. structure 2\)")
    assert "atomlake drop predictions slabs w3" in text
    result = score(lk, sets=["slabs"], groups=["T1"], allow_partial=True)
    assert result.scores["structure_id"].to_list() == [1, 3]


def test_numbers_whose_means_tell_nothing_are_found_when_read(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w3=[2])
    wrong = np.full((3, 8), 2e38, np.float32)  # finite, and their squares are not
    wrong[1] = -wrong[1]
    add_latents(lk, "w3", {2: wrong})
    refused(lk, "structure 2: its latents hold what is no finite number", CorruptLakeError)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"definition": '{"engine": "nequip"}'}, 'w4: 8 features, defined by {"engine": "nequip"}'),
        ({"definition": None}, "w4: 8 features, defined by nothing"),
    ],
)
def test_latents_of_two_definitions_do_not_mix(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    lk = uneven(tmp_path, w4=[1, 2, 3])
    add_latents(lk, "w4", random_latents(N_ATOMS)["w4"], **change)
    text = refused(lk, "The latents are of 2 kinds")
    assert said in text
    assert f"w1, w2, w3: 8 features, defined by {DEFINITION}" in text


def test_latents_of_two_widths_do_not_mix(tmp_path: Path) -> None:
    lk = uneven(tmp_path, w4=[1, 2, 3])
    add_latents(lk, "w4", random_latents(N_ATOMS, n_features=5)["w4"])
    assert "w4: 5 features" in refused(lk, "The latents are of 2 kinds")


def test_a_layer_nobody_computed_lists_those_there_are(tmp_path: Path) -> None:
    lk = uneven(tmp_path)
    text = refused(lk, "No member of the ensemble has latents of the layer '0'", layer="0")
    assert "slabs / last (of 4)" in text
    assert "--latents all" in text


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"groups": []}, InvalidInputError, r"No ensemble is named.*T1 \(4\)"),
        ({"models": ["w1"], "groups": []}, InvalidInputError, "only w1. Expected at least two"),
        ({"models": ["w9*"], "groups": []}, NotFoundError, "No model is called 'w9\\*'"),
        ({"groups": ["T2"]}, NotFoundError, "No group of models is called 'T2'. .*T1"),
        ({"sets": ["slab"]}, NotFoundError, "No dataset is called 'slab'. Did you mean slabs"),
        ({"sets": ["a=slabs: n_atoms > 99"]}, InvalidInputError, "The set 'a' is empty"),
        ({"sets": ["a=slabs: n_atoms >"]}, InvalidInputError, "SQL condition"),
        ({"against": ["old"]}, NotFoundError, "No table of scores is called 'old'"),
        ({"choice": Choice(per=("facet",), at_most=1)}, NotFoundError, "called 'facet'"),
    ],
)
def test_what_is_not_there_is_said(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    refused(uneven(tmp_path), said, error, **options)


@pytest.mark.parametrize(
    ("parents", "said"),
    [
        (["base", "base", "base", "other"], "fine-tuned from 2 parents: w1 from base"),
        (["base", "base", None, None], "The parent of w3, w4 is unknown"),
    ],
)
def test_members_without_a_common_parent_are_named(
    tmp_path: Path, parents: list[str | None], said: str
) -> None:
    lk = lake.create(str(tmp_path / "lake"))
    add_structures(lk, N_ATOMS)
    for name, parent in zip(MEMBERS, parents, strict=True):
        add_models(lk, (name,), parent=parent)
    for name, of in random_latents(N_ATOMS).items():
        add_latents(lk, name, of)
    warnings = score(lk, sets=["slabs"], groups=["T1"]).warnings
    assert any(said in warning for warning in warnings)


def test_members_of_one_parent_are_not_warned_of(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    warnings = score(lk, sets=["slabs"], groups=["T1"]).warnings
    assert not [warning for warning in warnings if "parent" in warning or "file" in warning]


def test_a_baseline_that_is_chosen_from_is_said(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    result = score(lk, sets=["slabs"], groups=["T1"], baseline="slabs")
    assert any("is one of the sets chosen from" in warning for warning in result.warnings)
    assert result.scores["is_baseline"].all()
    assert len(result.chosen) == 3


def test_scores_are_saved_once_and_can_be_added_to(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    few = score(lk, sets=["few=slabs: n_atoms < 4"], groups=["T1"])
    every = score(lk, sets=["slabs", "few=slabs: n_atoms < 4"], groups=["T1"])
    assert (save_scores(lk, few, "t1").n_added, save_scores(lk, few, "t1").n_added) == (2, 0)
    saved = save_scores(lk, every, "t1")
    assert (saved.n_added, saved.n_there, saved.version) == (1, 2, lk.version)
    rows = lk.sql("SELECT * FROM ood_scores ORDER BY structure_id").pl()
    expected = every.scores.filter(set="slabs")["latent_variance_trace"]
    assert rows["latent_variance_trace"].to_list() == expected.to_list()
    assert rows["members"].to_list() == [list(MEMBERS)] * 3
    assert rows["model_ids"].to_list() == [[number(name) for name in MEMBERS]] * 3
    assert rows["layer"].to_list() == ["last"] * 3
    assert rows["definition"].to_list() == [DEFINITION] * 3
    assert rows["lake_version"].to_list() == [few.lake_version] * 2 + [every.lake_version]
    assert lk.check() == []


def test_saved_scores_stand_beside_others(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    first = score(lk, sets=["slabs"], models=["w1", "w2"])
    save_scores(lk, first, "pair")
    result = score(lk, sets=["few=slabs: n_atoms < 4"], groups=["T1"], against=["pair"])
    assert result.against["structure_id"].to_list() == [1, 2]
    assert (
        result.against["latent_variance_trace"].to_list()
        == (first.scores["latent_variance_trace"].to_list()[:2])
    )
    assert result.against["name"].to_list() == ["pair"] * 2


def test_scores_of_other_members_do_not_share_a_name(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    save_scores(lk, score(lk, sets=["slabs"], groups=["T1"]), "mine")
    pair = score(lk, sets=["slabs"], models=["w1", "w2"])
    with pytest.raises(InvalidInputError, match="atomlake drop scores DATASET mine"):
        save_scores(lk, pair, "mine")
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        save_scores(lk, pair, "my scores")


def test_scores_can_be_dropped_and_go_with_their_dataset(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    result = score(lk, sets=["slabs"], groups=["T1"])
    for name in ("a", "b"):
        save_scores(lk, result, name)
    assert lk.drop(dataset="slabs", scores="a").rows() == [("ood_scores", 3, 1)]
    assert lk.scan("ood_scores").collect()["saved_as"].unique().to_list() == ["b"]
    with pytest.raises(NotFoundError, match="There are: b"):
        lk.drop(dataset="slabs", scores="a1")
    lk.drop(dataset="slabs")
    assert lk.scan("ood_scores").collect().is_empty()
    with pytest.raises(ConflictError, match="3 structures of slabs were dropped"):
        save_scores(lk, result, "c")


def test_check_finds_scores_of_structures_that_are_not_there(tmp_path: Path) -> None:
    lk, _ = ensemble_lake(tmp_path, N_ATOMS)
    save_scores(lk, score(lk, sets=["slabs"], groups=["T1"]), "a")
    stray = lk.scan("ood_scores").collect().to_dicts()[0]
    append(lk, ood_scores=[{**stray, "structure_id": 99}])
    (problem,) = lk.check()
    assert problem.place == "slabs, structure 99"
