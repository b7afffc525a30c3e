"""Tests of significance on random data, against scipy."""

from __future__ import annotations

from itertools import combinations

import comparison_arrays as arrays
import numpy as np
import pytest
from comparison_case import LOSSES, Case, case_of_random_data, find, same
from scipy import stats

case = case_of_random_data


def test_the_original_tests_are_scipys(case: Case) -> None:
    found = case.result.tables["statistical_tests"].rows(named=True)
    assert [row["comparison"] for row in found] == [
        f"{first} vs {second}" for first, second in combinations(sorted(LOSSES), 2)
    ]
    for row, pair in zip(found, combinations(sorted(LOSSES), 2), strict=True):
        values = [arrays.column(case.rows, "defect_mae", loss=loss) for loss in pair]
        expected = stats.ttest_ind(*values)
        assert same(row["t_statistic"], expected.statistic)
        assert same(row["p_value"], expected.pvalue)
        assert row["significant"] == (expected.pvalue < 0.05)
        assert same(row["mean_diff"], np.mean(values[0]) - np.mean(values[1]))
        assert (row["n1"], row["n2"]) == (len(values[0]), len(values[1]))


@pytest.mark.parametrize("measure", ["defect_mae", "bulk_mae", "all_mae", "ratio"])
def test_paired_tests_are_scipys(case: Case, measure: str) -> None:
    found = case.result.tables["paired_tests"].filter(measure=measure)
    p_values = []
    for pair in combinations(sorted(LOSSES), 2):
        row = find(found, comparison=" vs ".join(pair))
        means = np.array([seed_means(case, loss, measure) for loss in pair], float)
        first, second = means[:, ~np.isnan(means).any(axis=0)]
        expected = stats.ttest_rel(first, second)
        p_values.append(expected.pvalue)
        assert row["n_structures"] == len(first)
        assert same(row["t_statistic"], expected.statistic)
        assert same(row["p_t"], expected.pvalue)
        assert same(row["mean_diff"], np.mean(first - second))
        assert same(row["effect_size"], np.mean(first - second) / np.std(first - second, ddof=1))
        assert row["effect_size_low"] < row["effect_size"] < row["effect_size_high"]
        assert (row["rng_seed"], row["permutations"], row["is_exact"]) == (11, 9_999, False)
        random = stats.permutation_test(
            (first - second,), np.mean, permutation_type="samples", n_resamples=9_999, rng=0
        )
        assert row["p_permutation"] == pytest.approx(random.pvalue, abs=0.03)
    assert found["p_t_bh"].to_list() == pytest.approx(
        stats.false_discovery_control(p_values, method="bh").tolist()
    )
    ascending = sorted(p_values)
    assert found["p_t_holm"].min() == pytest.approx(min(1.0, 3 * ascending[0]))


def seed_means(case: Case, loss: str, measure: str) -> list[float]:
    rows = [row for row in case.rows if row["loss"] == loss]
    means = []
    for i in range(len(case.samples)):
        values = arrays.column(rows, measure, structure_idx=i)
        means.append(float(np.mean(values)) if values else np.nan)
    return means


def test_seeds_as_replicates_are_scipys(case: Case) -> None:
    for measure in ("defect_mae", "bulk_mae", "all_mae", "ratio"):
        for pair in combinations(sorted(LOSSES), 2):
            row = find(
                case.result.tables["seed_tests"], measure=measure, comparison=" vs ".join(pair)
            )
            means = [
                [
                    float(np.mean(arrays.column(case.rows, measure, model=m.name)))
                    for m in case.of(x)
                ]
                for x in pair
            ]
            expected = stats.ttest_ind(*means, equal_var=False)
            assert same(row["t_statistic"], expected.statistic)
            assert same(row["p_value"], expected.pvalue)
            assert same(row["degrees_of_freedom"], expected.df)
            assert row["is_significant"] == (row["p_holm"] < 0.05)
