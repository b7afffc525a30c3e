"""What a comparison of losses says of data that is not all there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import polars.testing
import pytest
from comparison_lakes import (
    Member,
    model_id,
    write_samples,
)
from comparison_six import MEMBERS, SAMPLES, indices, lake_of_six
from lake_samples import append, label, model, prediction, region, structure

from lake.errors import InvalidInputError
from lake.lake import Lake
from queries.losses.comparison import compare

full = lake_of_six


def without(member: Member, *structures: int) -> Member:
    forces = [None if i in structures else each for i, each in enumerate(member.forces)]
    return replace(member, forces=forces)


def test_missing_predictions_are_counted_and_the_command_is_named(lk: Lake) -> None:
    write_samples(lk, SAMPLES, [MEMBERS[0], without(MEMBERS[1], 2, 4), *MEMBERS[2:]])
    with pytest.raises(InvalidInputError) as error:
        compare(lk, dataset="cu")
    assert str(error.value) == (
        "Dataset 'cu': 2 of the 6 structures selected cannot be compared. Not predicted: 2 by "
        "MSE_model1: atomlake compute predict --dataset cu --model MSE_model1. Expected all of "
        "them. Compute what is missing, select without them by --where, or compare the 4 that "
        "have everything with --allow-partial."
    )


def test_what_is_missing_of_one_model_is_left_out_of_all(lk: Lake) -> None:
    write_samples(lk, SAMPLES, [MEMBERS[0], without(MEMBERS[1], 2, 4), *MEMBERS[2:]])
    result = compare(lk, dataset="cu", allow_partial=True)
    detailed = result.tables["detailed_results"]
    for name in result.models["model"]:
        kept = detailed.filter(model=name)["structure_idx"].to_list()
        assert kept == [0, 1, 3, 5]
    assert result.tables["mean_prediction_results"]["structure_idx"].unique().sort().to_list() == (
        [0, 1, 3, 5]
    )
    n_atoms = sum(len(SAMPLES[i].two) for i in (0, 1, 3, 5))
    tables = {
        name: result.tables[name].filter(loss="MSE", region="all")["n_atoms"].sum()
        for name in ("error_histogram", "error_quantiles", "errors_by_loss")
    }
    assert tables == {
        "error_histogram": 2 * n_atoms,  # of two seeds
        "error_quantiles": 2 * n_atoms,
        "errors_by_loss": n_atoms,
    }
    assert result.tables["schemes"]["n_structures"].to_list() == [4, 4]
    coverage = result.tables["coverage"]
    assert coverage["n_missing"].to_list() == [0, 2, 0, 0]
    assert coverage["n_used"].to_list() == [4] * 4
    assert result.warnings[0].startswith("All numbers rest on 4 of the 6 structures. Not predicted")


def test_failed_predictions_and_those_without_forces_are_told_apart(lk: Lake) -> None:
    write_samples(lk, SAMPLES, [without(MEMBERS[0], 2, 4), *MEMBERS[1:]])
    name = MEMBERS[0].name
    sizes = {i: len(SAMPLES[i].two) for i in (2, 4)}
    rows = [
        prediction(12, model=name, model_id=model_id(name), n_atoms=sizes[2], forces=None),
        prediction(14, model=name, model_id=model_id(name), n_atoms=sizes[4])
        | {"energy": None, "forces": None, "status": "failed", "error": "too large"},
    ]
    append(lk, predictions=rows)
    with pytest.raises(InvalidInputError) as error:
        compare(lk, dataset="cu")
    assert "Failed: 1 by MSE_model0: atomlake compute retry --failed" in str(error.value)
    assert "Predicted without forces: 1 by MSE_model0." in str(error.value)
    found = compare(lk, dataset="cu", allow_partial=True).tables["coverage"].row(0, named=True)
    counts = ("n_predicted", "n_without_forces", "n_failed", "n_missing", "n_used")
    assert [found[name] for name in counts] == [5, 1, 1, 0, 4]


def test_predictions_of_another_file_of_that_name_do_not_count(lk: Lake) -> None:
    write_samples(lk, SAMPLES, MEMBERS[1:])
    append(lk, models=[model("MSE_model0", 1, group="MSE", seed=0)])
    old = [
        prediction(i + 10, model="MSE_model0", model_id=2, n_atoms=len(s.two))
        for i, s in enumerate(SAMPLES)
    ]
    append(lk, predictions=old)
    with pytest.raises(InvalidInputError, match="Not predicted: 6 by MSE_model0"):
        compare(lk, dataset="cu")


def test_predictions_of_an_earlier_file_change_nothing(full: Lake) -> None:
    before = compare(full, dataset="cu")
    sizes = [len(sample.two) for sample in SAMPLES]
    earlier = [
        prediction(i + 10, model="MSE_model0", model_id=2, n_atoms=n) for i, n in enumerate(sizes)
    ]
    append(full, predictions=earlier)
    after = compare(full, dataset="cu")
    for name in ("coverage", "detailed_results", "mean_prediction_results"):
        pl.testing.assert_frame_equal(after.tables[name], before.tables[name])


def test_structures_without_reference_forces(full: Lake) -> None:
    append(
        full,
        structures=[structure(99, n_atoms=2, frame=99)],
        labels=[label(99, forces=None)],
        predictions=[
            prediction(99, model=m.name, model_id=model_id(m.name), n_atoms=2) for m in MEMBERS
        ],
    )
    for scheme in ("legacy-2", "legacy-3"):
        append(full, regions=[region(99, scheme=scheme)])
    with pytest.raises(
        InvalidInputError, match="Without reference forces in the label set 'dft': 1"
    ):
        compare(full, dataset="cu")
    assert indices(full, allow_partial=True) == list(range(6))
    assert indices(full, where="forces IS NOT NULL") == list(range(6))


def test_a_dataset_without_any_labels(lk: Lake) -> None:
    append(lk, structures=[structure(1)])
    with pytest.raises(InvalidInputError, match=r"Dataset 'cu' has no labels\. Expected reference"):
        compare(lk, dataset="cu")


def test_structures_without_regions(full: Lake) -> None:
    append(
        full,
        structures=[structure(99, frame=99)],
        labels=[label(99)],
        regions=[region(99, scheme="legacy-2")],
        predictions=[prediction(99, model=m.name, model_id=model_id(m.name)) for m in MEMBERS],
    )
    said = r"Without regions of the scheme legacy: 1 \(atomlake compute regions --dataset cu"
    with pytest.raises(InvalidInputError, match=said):
        compare(full, dataset="cu")
    assert indices(full, allow_partial=True) == list(range(6))


def test_a_structure_the_scheme_says_nothing_of_counts_to_all_atoms_alone(full: Lake) -> None:
    append(
        full,
        structures=[structure(99, frame=99)],
        labels=[label(99)],
        predictions=[prediction(99, model=m.name, model_id=model_id(m.name)) for m in MEMBERS],
    )
    nothing = {"region": None, "distance": None, "defect_kind": None}
    for scheme in ("legacy-2", "legacy-3"):
        append(full, regions=[region(99, scheme=scheme, **nothing)])
    result = compare(full, dataset="cu")
    row = result.tables["detailed_results"].filter(structure_idx=6).row(0, named=True)
    assert (row["n_atoms"], row["n_defect"], row["n_bulk"]) == (2, 0, 0)
    # 0.5 - 0.25 in each component, of both atoms
    assert row["all_mae"] == pytest.approx(0.25 * np.sqrt(3))
    assert (row["defect_mae"], row["bulk_mae"], row["defect_type"]) == (None, None, None)
    assert any("of which the scheme says nothing: 1." in warning for warning in result.warnings)


def test_no_structure_has_everything(lk: Lake) -> None:
    write_samples(lk, SAMPLES, [without(MEMBERS[0], *range(6)), *MEMBERS[1:]])
    for is_allowed in (False, True):
        with pytest.raises(InvalidInputError, match="No structure has everything"):
            compare(lk, dataset="cu", models=["*"], allow_partial=is_allowed)


def test_a_dataset_nobody_predicted(lk: Lake) -> None:
    write_samples(lk, SAMPLES, [])
    with pytest.raises(InvalidInputError, match="there is no model to compare"):
        compare(lk, dataset="cu")
