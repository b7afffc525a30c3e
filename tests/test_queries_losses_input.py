"""What a comparison of losses is about: structures, models, regions, versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import polars.testing
import pytest
from comparison_lakes import (
    Member,
    Sample,
    model_id,
    write_members,
    write_samples,
)
from comparison_six import MEMBERS, SAMPLES, indices, lake_of_six
from lake_samples import append, label, model, prediction, region, source, structure

from lake.errors import InvalidInputError, NotFoundError
from lake.lake import Lake
from queries.losses.comparison import compare

full = lake_of_six
NEWER_GENERATIONS = (
    "(config_type LIKE 'vac%' OR config_type LIKE 'neb%' OR config_type LIKE 'sia%') "
    "AND COALESCE(TRY_CAST(info ->> '$.generation' AS DOUBLE) <= 7, TRUE)"
)


def test_names_that_are_not_there(full: Lake) -> None:
    with pytest.raises(NotFoundError, match=r"No dataset is called 'cuu'. Did you mean cu"):
        compare(full, dataset="cuu")
    with pytest.raises(NotFoundError, match=r"No label set is called 'dtf'. Did you mean dft"):
        compare(full, dataset="cu", label_set="dtf")
    with pytest.raises(NotFoundError, match=r"No model is called 'MSE_model7'. Did you mean MSE_"):
        compare(full, dataset="cu", models=["MSE_model7"])
    with pytest.raises(NotFoundError, match="No group of models is called 'RMSE'"):
        compare(full, dataset="cu", losses=["RMSE"])
    with pytest.raises(InvalidInputError, match="No scheme is called 'voronoi'"):
        compare(full, dataset="cu", scheme="voronoi")
    with pytest.raises(InvalidInputError, match=r"limit 0 \(--limit\): expected a number from 1"):
        compare(full, dataset="cu", limit=0)


def test_a_scheme_never_computed_names_the_command(full: Lake) -> None:
    said = "has no regions of the scheme sites-2.*atomlake compute regions --dataset cu --scheme"
    with pytest.raises(InvalidInputError, match=said):
        compare(full, dataset="cu", scheme="sites")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("no_such_column = 1", "Expected an SQL condition"),
        ("config_type =", "Expected an SQL condition"),
        ("", "Expected an SQL condition"),
        ("n_atoms > 0) OR (n_atoms > 0", "Expected an SQL condition"),
        ("config_type = 'nothing'", "No structure of dataset 'cu' fulfils"),
        ("structure_id IN (FROM read_csv('/etc/passwd'))", "Expected an SQL condition"),
    ],
)
def test_conditions_that_cannot_be(full: Lake, where: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        compare(full, dataset="cu", where=where)


def test_a_condition_over_structures_and_labels(full: Lake) -> None:
    assert indices(full, where="config_type = 'sia' -- interstitials") == [0, 1, 2]
    assert indices(full, where="forces IS NOT NULL AND label_set = 'dft'") == list(range(6))
    result = compare(full, dataset="cu", where="config_type = 'sia'")
    assert result.tables["selected_structures"]["structure_id"].to_list() == [11, 13, 15]
    assert "config_type = 'sia'" in result.statements["chosen_structures"]
    assert result.selection.where == "config_type = 'sia'"


def test_the_original_selection(lk: Lake) -> None:
    append(
        lk,
        structures=[
            structure(1, config_type="vac_1", info='{"generation": 7}'),
            structure(2, config_type="vac_1", info='{"generation": 8}'),
            structure(3, config_type="neb", info="{}"),
            structure(4, config_type="sia_110", info=None),
            structure(5, config_type="bulk"),
            structure(6, config_type=None),
        ],
        labels=[label(i) for i in range(1, 7)],
        sources=[source(6)],
    )
    for scheme in ("legacy-2", "legacy-3"):
        append(lk, regions=[region(i, scheme=scheme) for i in range(1, 7)])
    write_member(lk, range(1, 7))
    result = compare(lk, dataset="cu", where=NEWER_GENERATIONS)
    assert result.tables["selected_structures"]["structure_id"].to_list() == [1, 3, 4]


def write_member(lk: Lake, identities: Sequence[int]) -> None:
    append(
        lk,
        models=[model("MSE_0", 7, group="MSE", seed=0)],
        predictions=[prediction(i, model="MSE_0", model_id=7) for i in identities],
    )


def test_the_first_n_in_the_order_of_the_files(lk: Lake) -> None:
    from datetime import UTC, datetime

    # The file read first has the greater name, and its frames the greater ids.
    append(
        lk,
        structures=[structure(i, source_id=2, frame=5 - i) for i in (1, 2)]
        + [structure(i, source_id=9, frame=20 - i) for i in (11, 12)],
        labels=[label(i) for i in (1, 2, 11, 12)],
        sources=[
            source(2, identity=2, uri="a.xyz", read_at=datetime(2026, 2, 2, tzinfo=UTC)),
            source(2, identity=9, uri="b.xyz", read_at=datetime(2026, 1, 1, tzinfo=UTC)),
        ],
    )
    for scheme in ("legacy-2", "legacy-3"):
        append(lk, regions=[region(i, scheme=scheme) for i in (1, 2, 11, 12)])
    write_member(lk, (1, 2, 11, 12))
    result = compare(lk, dataset="cu", limit=3)
    found = result.tables["selected_structures"]
    assert found["structure_id"].to_list() == [12, 11, 2]
    assert found["source"].to_list() == ["b.xyz", "b.xyz", "a.xyz"]


def test_a_model_without_a_loss_is_left_out_and_said(full: Lake) -> None:
    write_members(full, [Member("emt", None, None, [s.reference for s in SAMPLES])])
    result = compare(full, dataset="cu")
    assert "emt" not in result.models["model"]
    assert any("Left out, because no loss is known: emt" in w for w in result.warnings)
    with pytest.raises(InvalidInputError, match=r"No loss is known of 'emt'.*--group LOSS"):
        compare(full, dataset="cu", models=["*"])


def test_models_by_pattern_group_and_seed(full: Lake) -> None:
    def names(**options: object) -> list[str]:
        found = compare(full, dataset="cu", **options).models["model"]  # type: ignore[arg-type]
        return [str(name) for name in found]

    assert names(models=["MSE_*", "*1"]) == ["MSE_model0", "MSE_model1", "RMCE_model1"]
    assert names(losses=["RMCE"]) == ["RMCE_model0", "RMCE_model1"]
    assert names(seeds=[0]) == ["MSE_model0", "RMCE_model0"]
    with pytest.raises(NotFoundError, match=r"has the seed 5\. There are: 0, 1\."):
        compare(full, dataset="cu", seeds=[0, 5])


def test_one_loss_has_nothing_to_be_compared_with(full: Lake) -> None:
    result = compare(full, dataset="cu", losses=["MSE"])
    for table in ("statistical_tests", "paired_tests", "seed_tests"):
        assert result.tables[table].is_empty()
        assert "mean_diff" in result.tables[table].columns
    assert any(w.startswith("There is one loss, MSE") for w in result.warnings)


def test_one_seed_has_no_spread(full: Lake) -> None:
    result = compare(full, dataset="cu", seeds=[1])
    summary = result.tables["ensemble_summary"]
    assert summary["n_seeds"].to_list() == [1, 1]
    assert summary["defect_mae_std_over_seeds"].null_count() == 2
    assert summary["defect_mae_std_over_rows"].null_count() == 0
    assert result.tables["reproducibility"]["defect_mae_variation"].null_count() == 2
    assert any(w.startswith("One seed only of MSE, RMCE") for w in result.warnings)


def test_unequal_seeds_are_said(full: Lake) -> None:
    result = compare(full, dataset="cu", models=["MSE_*", "RMCE_model1"])
    assert any("do not have the same seeds: MSE 0, 1; RMCE 1" in w for w in result.warnings)
    counts = dict(result.tables["ensemble_summary"].select("loss", "n_seeds").rows())
    assert counts == {"MSE": 2, "RMCE": 1}


@pytest.mark.parametrize("seed", [1, None])
def test_models_that_are_not_one_a_seed(full: Lake, seed: int | None) -> None:
    forces = [sample.reference for sample in SAMPLES]
    write_members(full, [Member("again", "MSE", seed, forces)])
    said = rf"The models of the loss 'MSE' are not one a seed: .*again \(seed {seed}\)"
    with pytest.raises(InvalidInputError, match=said):
        compare(full, dataset="cu")
    assert len(compare(full, dataset="cu", models=["*_model*"]).models) == 4


def test_a_loss_of_one_model_needs_no_seed(full: Lake) -> None:
    write_members(full, [Member("only", "Huber", None, [s.reference for s in SAMPLES])])
    assert compare(full, dataset="cu").models["seed"].to_list() == [None, 0, 1, 0, 1]


def test_several_label_sets_must_be_chosen_from(full: Lake) -> None:
    doubled = [label(i + 10, label_set="emt", n_atoms=len(s.two)) for i, s in enumerate(SAMPLES)]
    append(full, labels=doubled)
    with pytest.raises(InvalidInputError, match="2 label sets: dft, emt"):
        compare(full, dataset="cu")
    result = compare(full, dataset="cu", label_set="emt")
    errors = [
        np.linalg.norm(forces - 0.5, axis=1).mean() for forces in MEMBERS[0].forces
        if forces is not None
    ]  # fmt: skip
    found = result.tables["detailed_results"].filter(model=MEMBERS[0].name)["all_mae"]
    assert found.to_list() == pytest.approx(errors)


def test_models_of_a_parent_are_said(lk: Lake) -> None:
    members = [replace(MEMBERS[0], more={"parent": "base"}), *MEMBERS[1:]]
    write_samples(lk, SAMPLES, members)
    result = compare(lk, dataset="cu")
    assert any("MSE_model0 from base" in warning for warning in result.warnings)


def test_a_past_version_is_asked_as_it_was(full: Lake) -> None:
    version = full.version
    extra = Member("MSE_model2", "MSE", 2, [sample.reference for sample in SAMPLES])
    write_members(full, [extra])
    assert len(compare(full, dataset="cu").models) == 5
    then = compare(full.at(version), dataset="cu")
    assert (len(then.models), then.lake_version) == (4, version)


def test_another_dataset_with_the_same_structures_does_not_count(full: Lake) -> None:
    before = compare(full, dataset="cu")
    append(
        full,
        structures=[structure(10, "other", n_atoms=len(SAMPLES[0].two))],
        labels=[label(10, "other", n_atoms=len(SAMPLES[0].two))],
        predictions=[
            prediction(10, "other", n_atoms=1, model="MSE_model0", model_id=model_id("MSE_model0"))
        ],
        regions=[region(10, "other", n_atoms=1, scheme=f"legacy-{n}") for n in (2, 3)],
        sources=[source(1, "other")],
    )
    after = compare(full, dataset="cu")
    for name in ("selected_structures", "coverage", "detailed_results", "mean_prediction_results"):
        pl.testing.assert_frame_equal(after.tables[name], before.tables[name])


def test_equal_predictions_differ_in_nothing(lk: Lake) -> None:
    forces = [sample.reference + 0.1 for sample in SAMPLES]
    members = [Member(f"{loss}{seed}", loss, seed, forces) for loss in "AB" for seed in range(3)]
    write_samples(lk, SAMPLES, members)
    result = compare(lk, dataset="cu")
    for table in ("paired_tests", "seed_tests"):
        assert result.tables[table]["is_significant"].sum() == 0
    test = result.tables["paired_tests"].row(0, named=True)
    assert (test["mean_diff"], test["p_t"], test["p_permutation"]) == (0.0, None, 1.0)


def test_regions_of_sites_are_read_like_those_of_legacy(lk: Lake) -> None:
    samples = [Sample(np.zeros((2, 3)), ["bulk"] * 2, ["bulk"] * 2, "bulk", "none")]
    write_samples(lk, samples, [Member("a", "A", 0, [np.ones((2, 3))])], "sites")
    result = compare(lk, dataset="cu", scheme="sites")
    row = result.tables["detailed_results"].row(0, named=True)
    assert (row["defect_type"], row["n_bulk"], row["defect_mae"]) == ("none", 2, None)
    assert set(result.tables["errors_by_model"]["scheme"]) == {None, "sites-2", "sites-3"}
    assert any("No atoms in the region defect: 1 of 1 structures" in w for w in result.warnings)


def test_regions_made_in_two_ways_are_said(full: Lake) -> None:
    append(
        full,
        structures=[structure(99, frame=99)],
        labels=[label(99)],
        predictions=[prediction(99, model=m.name, model_id=model_id(m.name)) for m in MEMBERS],
        regions=[region(99, scheme=f"legacy-{n}", scheme_version="2") for n in (2, 3)],
    )
    result = compare(full, dataset="cu")
    schemes = result.tables["schemes"].select("scheme", "scheme_version", "n_structures").rows()
    assert schemes == [
        ("legacy-2", "1", 6),
        ("legacy-2", "2", 1),
        ("legacy-3", "1", 6),
        ("legacy-3", "2", 1),
    ]
    assert any("of legacy-3 were made in 2 ways, of 6, 1 structures" in w for w in result.warnings)


def test_a_cutoff_that_is_not_that_of_the_models_is_said(lk: Lake) -> None:
    members = [replace(MEMBERS[0], more={"r_max": 6.5}), *MEMBERS[1:]]
    write_samples(lk, SAMPLES, members, parameters='{"model_cutoff": 5.0}')
    result = compare(lk, dataset="cu")
    said = next(w for w in result.warnings if "begins 5 Å from the defect" in w)
    assert "MSE_model0 6.5 Å. A model" in said
    write_members(lk, [Member("other", "Huber", 0, MEMBERS[0].forces, {"r_max": 5.0})])
    assert not [w for w in compare(lk, dataset="cu", losses=["Huber"]).warnings if "begins" in w]
