"""Tables of a comparison of losses on random data, against numpy and definitions."""

from __future__ import annotations

import comparison_arrays as arrays
import numpy as np
import polars as pl
import pytest
from comparison_case import LOSSES, SEEDS, Case, case_of_random_data, find, same

import lake
from queries.losses.comparison import compare

case = case_of_random_data

REGIONS = {
    "all": (None, "all"),
    "defect": ("legacy-2", "defect"),
    "bulk": ("legacy-2", "bulk"),
    "core": ("legacy-3", "core"),
    "shell": ("legacy-3", "shell"),
    "outer": ("legacy-3", "bulk"),
}
regions = pytest.mark.parametrize("region", REGIONS)


def test_detailed_results(case: Case) -> None:
    found = case.result.tables["detailed_results"].rows(named=True)
    assert len(found) == len(case.rows) == len(case.samples) * len(case.members)
    given = {"formula", "config_type", "defect_type", "n_atoms"}
    for mine, theirs in zip(found, case.rows, strict=True):
        for name in set(mine) - given:
            assert same(mine[name], theirs[name]), name
        assert mine["n_atoms"] == theirs["n_all"]


def test_detailed_results_in_three_regions(case: Case) -> None:
    found = case.result.tables["3region_detailed_results"].rows(named=True)
    for mine, theirs in zip(found, case.rows, strict=True):
        for name in ("core_mae", "shell_mae", "core_shell_ratio", "core_bulk_ratio", "n_core"):
            assert same(mine[name], theirs[name]), name
        assert same(mine["bulk_mae"], theirs["outer_mae"])
        assert mine["n_bulk"] == theirs["n_outer"]


def test_the_data_has_what_can_go_wrong(case: Case) -> None:
    assert any(row["defect_mae"] is None for row in case.rows)
    assert any(row["bulk_mae"] is None for row in case.rows)
    assert any(row["n_all"] == 1 for row in case.rows)
    assert any("core+bulk" in sample.three for sample in case.samples)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("summary_statistics", {n: n for n in ("defect_mae", "bulk_mae", "all_mae", "ratio")}),
        (
            "3region_summary",
            {
                "core_mae": "core_mae",
                "shell_mae": "shell_mae",
                "bulk_mae": "outer_mae",
                "core_bulk_ratio": "core_bulk_ratio",
            },
        ),
    ],
)
def test_summaries_of_models(case: Case, table: str, columns: dict[str, str]) -> None:
    for found in case.result.tables[table].rows(named=True):
        for mine, theirs in columns.items():
            values = arrays.column(case.rows, theirs, model=found["model"])
            assert same(found[f"{mine}_mean"], np.mean(values))
            assert same(found[f"{mine}_std"], arrays.deviation(values))


@pytest.mark.parametrize("name", ["defect_mae", "bulk_mae", "ratio"])
def test_summary_of_losses(case: Case, name: str) -> None:
    for found in case.result.tables["ensemble_summary"].rows(named=True):
        values = arrays.column(case.rows, name, loss=found["loss"])
        of_seeds = [
            float(np.mean(arrays.column(case.rows, name, model=member.name)))
            for member in case.of(found["loss"])
        ]
        assert same(found[f"{name}_mean"], np.mean(values))
        assert same(found[f"{name}_std_over_rows"], arrays.deviation(values))
        assert same(found[f"{name}_std_over_seeds"], arrays.deviation(of_seeds))
        assert (found["n_structures"], found["n_seeds"]) == (len(case.samples), len(SEEDS))
        other = find(case.result.tables["reproducibility"], loss=found["loss"])
        assert same(other[f"{name}_mean"], np.mean(of_seeds))
        assert same(other[f"{name}_variation"], np.std(of_seeds, ddof=1) / np.mean(of_seeds))


@regions
def test_errors_by_model(case: Case, region: str) -> None:
    scheme, name = REGIONS[region]
    for member in case.members:
        found = find(
            case.result.tables["errors_by_model"], model=member.name, scheme=scheme, region=name
        )
        errors = arrays.pooled(case.samples, [member], region)
        means = arrays.column(case.rows, f"{region}_mae", model=member.name)
        roots = arrays.column(case.rows, f"{region}_rmse", model=member.name)
        assert (found["n_structures"], found["n_atoms"]) == (len(means), len(errors))
        assert same(found["mae_mean_over_structures"], np.mean(means))
        assert same(found["mae_std_over_structures"], arrays.deviation(means))
        assert same(found["mae_pooled_over_atoms"], np.mean(errors))
        assert same(found["rmse_mean_over_structures"], np.mean(roots))
        assert same(found["rmse_pooled_over_atoms"], np.sqrt(np.mean(errors**2)))


@regions
@pytest.mark.parametrize("loss", LOSSES)
def test_errors_by_loss(case: Case, loss: str, region: str) -> None:
    scheme, name = REGIONS[region]
    found = find(case.result.tables["errors_by_loss"], loss=loss, scheme=scheme, region=name)
    members = case.of(loss)
    errors = arrays.pooled(case.samples, members, region)
    rows = arrays.column(case.rows, f"{region}_mae", loss=loss)
    of_seeds = [
        float(np.mean(arrays.column(case.rows, f"{region}_mae", model=m.name))) for m in members
    ]
    pooled = [float(np.mean(arrays.pooled(case.samples, [m], region))) for m in members]
    assert (found["n_rows"], found["n_seeds"]) == (len(rows), len(SEEDS))
    assert found["n_structures"] * len(SEEDS) == len(rows)
    assert found["n_atoms"] * len(SEEDS) == len(errors)
    assert same(found["mae_mean_over_structures"], np.mean(rows))
    assert same(found["mae_std_over_rows"], arrays.deviation(rows))
    assert same(found["mae_std_over_seeds"], arrays.deviation(of_seeds))
    assert same(found["mae_pooled_over_atoms"], np.mean(errors))
    assert same(found["mae_pooled_std_over_seeds"], arrays.deviation(pooled))
    assert same(found["rmse_pooled_over_atoms"], np.sqrt(np.mean(errors**2)))


@regions
@pytest.mark.parametrize("loss", LOSSES)
def test_mean_prediction(case: Case, loss: str, region: str) -> None:
    scheme, name = REGIONS[region]
    members = case.of(loss)
    means = arrays.mean_prediction(case.samples, members, region, arrays.mean)
    sums = arrays.mean_prediction(case.samples, members, region, lambda e: float(np.sum(e)))
    found = case.result.tables["mean_prediction_results"].filter(loss=loss)
    for mine, theirs in zip(found[f"{region}_mae"].to_list(), means, strict=True):
        assert same(mine, theirs)
    assert found["n_members"].unique().to_list() == [len(SEEDS)]
    of_loss = find(case.result.tables["errors_by_loss"], loss=loss, scheme=scheme, region=name)
    assert same(of_loss["mae_of_mean_prediction"], np.mean(arrays.given(means)))
    assert same(
        of_loss["mae_of_mean_prediction_pooled"], sum(arrays.given(sums)) / of_loss["n_atoms"]
    )
    # A norm is convex: the mean prediction is never worse than its members are on average.
    assert of_loss["mae_of_mean_prediction"] < of_loss["mae_mean_over_structures"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("ratio", "column", "above", "below"),
    [
        ("defect/bulk", "ratio", "defect", "bulk"),
        ("core/shell", "core_shell_ratio", "core", "shell"),
        ("core/bulk", "core_bulk_ratio", "core", "outer"),
    ],
)
def test_ratios(case: Case, loss: str, ratio: str, column: str, above: str, below: str) -> None:
    found = find(case.result.tables["ratios_by_loss"], loss=loss, ratio=ratio)
    values = arrays.column(case.rows, column, loss=loss)
    means = [np.mean(arrays.column(case.rows, column, model=m.name)) for m in case.of(loss)]
    pooled = [np.mean(arrays.pooled(case.samples, case.of(loss), each)) for each in (above, below)]
    assert found["n_rows"] == len(values)
    assert same(found["mean_over_structures"], np.mean(values))
    assert same(found["std_over_rows"], np.std(values, ddof=1))
    assert same(found["std_over_seeds"], np.std(means, ddof=1))
    assert same(found["of_pooled_errors"], pooled[0] / pooled[1])


@regions
@pytest.mark.parametrize("loss", LOSSES)
def test_quantiles_and_histogram(case: Case, loss: str, region: str) -> None:
    scheme, name = REGIONS[region]
    errors = arrays.pooled(case.samples, case.of(loss), region)
    found = find(case.result.tables["error_quantiles"], loss=loss, scheme=scheme, region=name)
    for percent in (1, 5, 25, 50, 75, 95, 99):
        assert same(found[f"q{percent:02}"], np.quantile(errors, percent / 100))
    bins = case.result.tables["error_histogram"].filter(
        pl.col("scheme").eq_missing(scheme), loss=loss, region=name
    )
    counts = [
        int(((errors >= b["low"]) & (errors < b["high"])).sum()) for b in bins.rows(named=True)
    ]
    assert bins["n_atoms"].to_list() == counts
    assert sum(counts) == len(errors)


def test_asking_again_gives_the_same(case: Case) -> None:
    again = compare(lake.open(case.result.lake_path), dataset="cu", rng_seed=11)
    for name, table in case.result.tables.items():
        assert table.equals(again.tables[name]), name
    assert again.statements == case.result.statements


def test_other_regions_are_asked_for_by_their_family(case: Case) -> None:
    lk = lake.open(case.result.lake_path)
    with pytest.raises(ValueError, match="compute regions --dataset cu --scheme sites"):
        compare(lk, dataset="cu", scheme="sites")
