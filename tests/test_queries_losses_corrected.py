"""Tables beside the original's, against numbers worked out by hand in `comparison_by_hand`."""

from __future__ import annotations

from math import sqrt

import pytest
from comparison_by_hand import close, compare_by_hand, row

from queries.losses.result import LossComparison


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> LossComparison:
    return compare_by_hand(tmp_path_factory.mktemp("hand"))


def test_errors_of_a_model_over_structures_and_over_atoms(result: LossComparison) -> None:
    assert row(
        result, "errors_by_model", model="MSE_model0", scheme="legacy-2", region="bulk"
    ) == close(
        {
            "model": "MSE_model0",
            "loss": "MSE",
            "seed": 0,
            "scheme": "legacy-2",
            "region": "bulk",
            "n_structures": 2,
            "n_atoms": 3,
            "mae_mean_over_structures": (0.2 + 0.3) / 2,
            "mae_std_over_structures": 0.1 / sqrt(2),
            "mae_pooled_over_atoms": (0.2 + 0.2 + 0.4) / 3,
            "rmse_mean_over_structures": (0.2 + sqrt(0.1)) / 2,
            "rmse_pooled_over_atoms": sqrt((0.04 + 0.04 + 0.16) / 3),
        }
    )


def test_errors_of_a_loss_and_of_its_mean_prediction(result: LossComparison) -> None:
    # The seeds' mean errors: 0.2 0.4 0.2 0.3 and 0.3 0.4; bulk: the third atom and the last two.
    squares = 2 * 0.075**2 + 0.025**2 + 0.125**2
    assert row(result, "errors_by_loss", loss="MSE", scheme="legacy-2", region="bulk") == close(
        {
            "loss": "MSE",
            "scheme": "legacy-2",
            "region": "bulk",
            "n_structures": 2,
            "n_seeds": 2,
            "n_rows": 4,
            "n_atoms": 3,
            "mae_mean_over_structures": 0.275,
            "mae_std_over_rows": sqrt(squares / 3),
            "mae_std_over_seeds": 0.05 / sqrt(2),
            "mae_pooled_over_atoms": (0.2 + 0.2 + 0.4 + 0.2 + 0.4 + 0.4) / 6,
            "mae_pooled_std_over_seeds": (1.0 / 3 - 0.8 / 3) / sqrt(2),
            "rmse_pooled_over_atoms": sqrt((0.04 + 0.04 + 0.16 + 0.04 + 0.16 + 0.16) / 6),
            "mae_of_mean_prediction": (0.2 + 0.35) / 2,
            "mae_of_mean_prediction_pooled": (0.2 + 0.3 + 0.4) / 3,
        }
    )


def test_errors_of_opposite_sign_cancel_in_the_mean_prediction(result: LossComparison) -> None:
    # Huber: -0.2 and 0.2 give 0; 0.2 and 0.4 give 0.3; 0.1 and 0.3 give 0.2 twice.
    assert row(result, "mean_prediction_results", loss="Huber", structure_idx=0) == close(
        {
            "loss": "Huber",
            "structure_idx": 0,
            "n_members": 2,
            "n_atoms": 4,
            "n_defect": 2,
            "n_bulk": 1,
            "n_core": 2,
            "n_shell": 1,
            "n_outer": 2,
            "all_mae": (0 + 0.3 + 0.2 + 0.2) / 4,
            "defect_mae": (0 + 0.3) / 2,
            "bulk_mae": 0.2,
            "core_mae": (0 + 0.3) / 2,
            "shell_mae": 0.2,
            "outer_mae": (0.3 + 0.2) / 2,
        }
    )
    of_all = row(result, "errors_by_loss", loss="Huber", scheme=None, region="all")
    assert of_all["mae_of_mean_prediction"] == pytest.approx((0.175 + 0.15) / 2)
    assert of_all["mae_mean_over_structures"] == pytest.approx((0.15 + 0.2 + 0.3 + 0.1) / 4)


def test_ratios(result: LossComparison) -> None:
    # core: 0.1 0.3 0.2 of seed 0, 0.3 0.5 0.4 of seed 1; shell: 0.2 0.4 and 0.2 0.4.
    assert row(result, "ratios_by_loss", loss="MSE", ratio="core/shell") == close(
        {
            "loss": "MSE",
            "scheme": "legacy-3",
            "ratio": "core/shell",
            "n_structures": 2,
            "n_seeds": 2,
            "n_rows": 4,
            "mean_over_structures": (1 + 0.5 + 2 + 1) / 4,
            "std_over_rows": sqrt((0.125**2 * 2 + 0.625**2 + 0.875**2) / 3),
            "std_over_seeds": (1.5 - 0.75) / sqrt(2),
            "of_pooled_errors": (1.8 / 6) / (1.2 / 4),
        }
    )


def test_reproducibility(result: LossComparison) -> None:
    found = row(result, "reproducibility", loss="MSE")
    assert found["n_seeds"] == 2
    assert found["defect_mae_mean"] == pytest.approx(0.3)
    assert found["defect_mae_variation"] == pytest.approx(0.2 / sqrt(2) / 0.3)
    assert found["bulk_mae_variation"] == pytest.approx(0.05 / sqrt(2) / 0.275)


def test_pairs_of_structures(result: LossComparison) -> None:
    # bulk_mae averaged over seeds: Huber 0.2 and (0.2 + 0.1) / 2, MSE 0.2 and 0.35.
    found = row(result, "paired_tests", measure="bulk_mae", comparison="Huber vs MSE")
    assert found["mean_diff"] == pytest.approx((0 - 0.2) / 2)
    assert found["t_statistic"] == pytest.approx(-0.1 / (0.2 / sqrt(2) / sqrt(2)))
    assert (found["n_structures"], found["permutations"], found["is_exact"]) == (2, 4, True)
    # Of the sums 0 - 0.2, 0 + 0.2 and those with -0: all four are as far from 0.
    assert found["p_permutation"] == 1.0
    assert found["effect_size"] == pytest.approx(-0.1 / (0.2 / sqrt(2)))
    of_defects = row(result, "paired_tests", measure="defect_mae", comparison="Huber vs MSE")
    assert (of_defects["n_structures"], of_defects["p_t"]) == (1, None)


def test_two_seeds_are_too_few_to_be_tested(result: LossComparison) -> None:
    found = row(result, "seed_tests", measure="all_mae", comparison="Huber vs MSE")
    # all_mae: Huber 0.15 0.2 and 0.3 0.1, MSE 0.25 0.3 and 0.3 0.4.
    assert found["mean_diff"] == pytest.approx((0.175 + 0.2) / 2 - (0.275 + 0.35) / 2)
    assert (found["n_seeds_1"], found["p_value"], found["effect_size"]) == (2, None, None)
    assert found["is_significant"] is None


def test_histogram_counts_every_atom_of_every_seed(result: LossComparison) -> None:
    histogram = result.tables["error_histogram"].filter(loss="MSE", region="all")
    assert histogram["n_atoms"].sum() == 2 * (4 + 2)
    # 0.3 twice (one of them 0.30000000000000004, written either way) lies in 0.282 to 0.316.
    found = histogram.filter((histogram["low"] < 0.3) & (histogram["high"] > 0.3)).row(
        0, named=True
    )
    assert (found["low"], found["high"]) == pytest.approx((10 ** (-11 / 20), 10 ** (-10 / 20)))
    assert found["n_atoms"] == 2


def test_quantiles(result: LossComparison) -> None:
    # Errors of MSE in core: 0.1 0.3 0.2 and 0.3 0.5 0.4.
    found = row(result, "error_quantiles", loss="MSE", region="core")
    assert found["n_atoms"] == 6
    assert found["q50"] == pytest.approx(0.3)
    assert found["q25"] == pytest.approx(0.2 + 0.25 * 0.1)
