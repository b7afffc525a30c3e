"""Statistics against scipy and statsmodels, and against cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from queries.statistics.corrections import benjamini_hochberg, holm
from queries.statistics.effect_sizes import hedges_g, paired_effect
from queries.statistics.sign_flips import sign_flip_tests
from queries.statistics.t_tests import paired_t, student_t, welch_t

SEEDS = range(5)


def sample(seed: int, n: int, mean: float = 0.0, deviation: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, n)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n1", "n2"), [(2, 2), (3, 17), (200, 150), (1, 4)])
def test_student_is_scipys(seed: int, n1: int, n2: int) -> None:
    first, second = sample(seed, n1), sample(seed + 100, n2, 0.3, 2.0)
    expected = stats.ttest_ind(first, second, equal_var=True)
    found = student_t(first, second)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.degrees_of_freedom == expected.df


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n1", "n2"), [(2, 2), (3, 17), (200, 150)])
def test_welch_is_scipys(seed: int, n1: int, n2: int) -> None:
    first, second = sample(seed, n1), sample(seed + 100, n2, 0.3, 2.0)
    expected = stats.ttest_ind(first, second, equal_var=False)
    found = welch_t(first, second)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.degrees_of_freedom == pytest.approx(expected.df)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [2, 9, 400])
def test_paired_is_scipys(seed: int, n: int) -> None:
    first, second = sample(seed, n), sample(seed + 100, n, 0.3)
    expected = stats.ttest_rel(first, second)
    found = paired_t(first - second)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.degrees_of_freedom == expected.df


def test_p_values_far_out_are_not_rounded_to_nothing() -> None:
    found = paired_t(np.array([1.0, 1.001, 0.999, 1.0] * 20))
    assert 0 < found.p_value < 1e-100


@pytest.mark.parametrize(
    "found",
    [
        student_t(np.array([1.0]), np.array([2.0])),
        student_t(np.ones(3), np.ones(3)),
        student_t(np.array([]), np.ones(3)),
        welch_t(np.array([1.0]), np.ones(3)),
        welch_t(np.ones(2), np.ones(3)),
        paired_t(np.array([1.0])),
        paired_t(np.zeros(5)),
    ],
)
def test_what_cannot_be_tested_has_no_p_value(found: object) -> None:
    assert np.isnan(found.p_value)  # type: ignore[attr-defined]
    assert np.isnan(found.statistic)  # type: ignore[attr-defined]


def test_sign_flips_of_few_pairs_are_counted_out() -> None:
    # Of the 8 choices of signs of 1, 2 and 4, only +++ and --- reach 7.
    found = sign_flip_tests(np.array([[1.0], [2.0], [4.0]]), rng_seed=0)
    assert (found.p_values[0], found.permutations, found.is_exact) == (2 / 8, 8, True)
    # 1 + 2 - 3 is 0, and everything is as far from 0.
    assert sign_flip_tests(np.array([[1.0], [2.0], [-3.0]]), 0).p_values[0] == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_that_are_equal_but_for_rounding_are_as_far(seed: int) -> None:
    whole = np.random.default_rng(seed).integers(-6, 7, (12, 40)).astype(float)
    tenths = whole * 0.1
    expected = sign_flip_tests(whole, 0).p_values
    assert sign_flip_tests(tenths, 0).p_values.tolist() == expected.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_sign_flips_are_scipys(seed: int) -> None:
    differences = sample(seed, 10, 0.5)
    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    found = sign_flip_tests(differences[:, np.newaxis], 0)
    assert found.is_exact
    assert found.p_values[0] == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_sign_flips_come_near_the_exact_share(seed: int) -> None:
    differences = sample(seed, 13, 0.4)[:, np.newaxis]
    exact = sign_flip_tests(differences, 0, flips=2**13)
    random = sign_flip_tests(differences, rng_seed=seed, flips=8_000)
    assert (exact.is_exact, random.is_exact) == (True, False)
    deviation = np.sqrt(exact.p_values * (1 - exact.p_values) / 8_000)
    assert np.abs(random.p_values - exact.p_values) < 4 * deviation + 1 / 8_000


def test_random_sign_flips_repeat_with_their_seed_and_are_never_0() -> None:
    differences = sample(0, 50, 3.0)[:, np.newaxis]
    first, again = (sign_flip_tests(differences, rng_seed=7, flips=999) for _ in range(2))
    assert first.p_values == again.p_values == 1 / 1000
    other = sample(1, 50, 0.1)[:, np.newaxis]
    p_values = {float(sign_flip_tests(other, seed, flips=99).p_values[0]) for seed in SEEDS}
    assert len(p_values) > 1


def test_a_pair_that_is_not_there_adds_nothing() -> None:
    both = np.array([[1.0, 1.0], [2.0, np.nan], [4.0, 4.0], [np.nan, 2.0]])
    found = sign_flip_tests(both, 0)
    alone = [sign_flip_tests(col[~np.isnan(col)][:, np.newaxis], 0).p_values[0] for col in both.T]
    assert found.p_values.tolist() == alone
    assert np.isnan(sign_flip_tests(np.full((3, 1), np.nan), 0).p_values[0])


def test_holm_by_hand() -> None:
    # Sorted 0.01 0.02 0.03: times 3, 2, 1 is 0.03 0.04 0.03, and never less than before.
    assert holm(np.array([0.02, 0.01, 0.03])).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]


def test_benjamini_hochberg_by_hand() -> None:
    # Sorted 0.01 0.02 0.03: times 3/1, 3/2, 3/3 is 0.03 everywhere.
    assert benjamini_hochberg(np.array([0.02, 0.01, 0.03])).tolist() == pytest.approx([0.03] * 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_benjamini_hochberg_is_scipys(seed: int) -> None:
    p_values = np.random.default_rng(seed).uniform(0, 0.2, 15)
    expected = stats.false_discovery_control(p_values, method="bh")
    assert benjamini_hochberg(p_values) == pytest.approx(expected)


@pytest.mark.parametrize(("name", "correct"), [("holm", holm), ("fdr_bh", benjamini_hochberg)])
def test_corrections_are_statsmodels(name: str, correct: object) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="no statsmodels")
    for seed in SEEDS:
        p_values = np.random.default_rng(seed).uniform(0, 0.2, 15)
        expected = multitest.multipletests(p_values, method=name)[1]
        assert correct(p_values) == pytest.approx(expected)  # type: ignore[operator]


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_a_test_that_was_not_made_is_not_counted(correct: object) -> None:
    found = correct(np.array([0.01, np.nan, 0.02]))  # type: ignore[operator]
    assert np.isnan(found[1])
    expected = correct(np.array([0.01, 0.02]))  # type: ignore[operator]
    assert found[[0, 2]].tolist() == expected.tolist()


def test_effect_size_of_pairs() -> None:
    differences = sample(3, 200, 0.5)
    found = paired_effect(differences, rng_seed=1)
    assert found.size == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert found == paired_effect(differences, rng_seed=1)
    assert found != paired_effect(differences, rng_seed=2)


def test_bootstrap_interval_is_scipys_up_to_chance() -> None:
    differences = sample(3, 200, 0.5)

    def effect(rows: np.ndarray, axis: int) -> np.ndarray:
        return rows.mean(axis) / rows.std(axis, ddof=1)

    expected = stats.bootstrap(
        (differences,), effect, n_resamples=20_000, method="percentile", rng=0, axis=-1
    ).confidence_interval
    found = paired_effect(differences, rng_seed=1, samples=20_000)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)


def test_bootstrap_intervals_hold_the_true_effect_as_often_as_they_say() -> None:
    held = 0
    for seed in range(300):
        found = paired_effect(sample(seed, 60, 0.5), rng_seed=seed, samples=400)
        held += found.low < 0.5 < found.high
    assert 0.90 < held / 300 < 0.985


def test_an_effect_without_spread_is_not_known() -> None:
    assert np.isnan(paired_effect(np.ones(4), 0).size)
    assert np.isnan(paired_effect(np.array([1.0]), 0).low)
    # With two pairs half of the draws take one pair twice, which has no spread.
    assert np.isfinite(paired_effect(np.array([1.0, 2.0]), 0).low)


def test_hedges_g_by_hand() -> None:
    # Means 2 and 5, pooled variance 1, four degrees of freedom: -3 * (1 - 3 / 15).
    found = hedges_g(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]))
    assert found == pytest.approx(-3 * (1 - 3 / 15))
    assert np.isnan(hedges_g(np.ones(3), np.ones(3)))
    assert np.isnan(hedges_g(np.ones(1), np.ones(3)))
