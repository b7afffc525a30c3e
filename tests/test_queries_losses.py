"""Tables of a comparison of losses, against numbers worked out by hand.

Two losses, two seeds, two structures. Errors point along z, so that the number is the norm:

    structure 0   defect+core  defect+core+outer  bulk+shell  outer      (outer: the bulk of three)
    MSE_model0        0.1            0.3              0.2       0.4
    MSE_model1        0.3            0.5              0.2       0.2
    Huber_model0     -0.2            0.2              0.1       0.1
    Huber_model1      0.2            0.4              0.3       0.3

    structure 1   bulk+core   bulk+shell
    MSE_model0        0.2         0.4
    MSE_model1        0.4         0.4
    Huber_model0      0.1         0.3
    Huber_model1      0.1         0.1

Structure 1 has no defect atoms in two regions, and no bulk in three.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparison_lakes import Member, Sample, write_samples

import lake
from queries.losses.comparison import compare
from queries.losses.result import LossComparison

ERRORS = {
    ("MSE", 0): ([0.1, 0.3, 0.2, 0.4], [0.2, 0.4]),
    ("MSE", 1): ([0.3, 0.5, 0.2, 0.2], [0.4, 0.4]),
    ("Huber", 0): ([-0.2, 0.2, 0.1, 0.1], [0.1, 0.3]),
    ("Huber", 1): ([0.2, 0.4, 0.3, 0.3], [0.1, 0.1]),
}
SAMPLES = [
    Sample(
        np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 0.5, 0.0], [0.0, 0.0, 4.0]]),
        ["defect", "defect", "bulk", None],
        ["core", "core+bulk", "shell", "bulk"],
        "vac",
        "vacancy",
    ),
    Sample(np.array([[1.0, 0, 0], [2.0, 0, 0]]), ["bulk"] * 2, ["core", "shell"], "sia", "none"),
]


def along_z(reference: Any, errors: list[float]) -> Any:
    moved = reference.copy()
    moved[:, 2] += errors
    return moved


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> LossComparison:
    lk = lake.create(str(tmp_path_factory.mktemp("hand") / "lake"))
    members = [
        Member(
            f"{loss}_model{seed}",
            loss,
            seed,
            [along_z(s.reference, e) for s, e in zip(SAMPLES, errors, strict=True)],
        )
        for (loss, seed), errors in ERRORS.items()
    ]
    write_samples(lk, SAMPLES, members)
    return compare(lk, dataset="cu")


def row(result: LossComparison, table: str, **key: Any) -> dict[str, Any]:
    found = result.tables[table].filter(
        *[
            result.tables[table][name].is_null()
            if value is None
            else result.tables[table][name] == value
            for name, value in key.items()
        ]
    )
    assert len(found) == 1
    return found.row(0, named=True)


def close(expected: dict[str, Any]) -> Any:
    return pytest.approx(expected, abs=1e-12)


def test_structures_stand_in_the_order_of_the_file(result: LossComparison) -> None:
    assert result.tables["selected_structures"].rows(named=True) == [
        {
            "structure_idx": i,
            "structure_id": i + 10,
            "source": "cu.extxyz",
            "frame": i,
            "formula": f"Cu{n_atoms}",
            "config_type": config_type,
            "defect_kind": kind,
            "n_atoms": n_atoms,
        }
        for i, (n_atoms, config_type, kind) in enumerate(
            [(4, "vac", "vacancy"), (2, "sia", "none")]
        )
    ]


def test_detailed_results(result: LossComparison) -> None:
    assert row(result, "detailed_results", model="MSE_model0", structure_idx=0) == close(
        {
            "model": "MSE_model0",
            "structure_idx": 0,
            "formula": "Cu4",
            "config_type": "vac",
            "defect_type": "vacancy",
            "n_atoms": 4,
            "n_defect": 2,
            "n_bulk": 1,
            "defect_mae": (0.1 + 0.3) / 2,
            "bulk_mae": 0.2,
            "all_mae": (0.1 + 0.3 + 0.2 + 0.4) / 4,
            "defect_rmse": sqrt((0.01 + 0.09) / 2),
            "bulk_rmse": 0.2,
            "all_rmse": sqrt((0.01 + 0.09 + 0.04 + 0.16) / 4),
            "ratio": 0.2 / 0.2,
        }
    )


def test_an_empty_region_is_null_and_so_is_its_ratio(result: LossComparison) -> None:
    assert row(result, "detailed_results", model="MSE_model0", structure_idx=1) == close(
        {
            "model": "MSE_model0",
            "structure_idx": 1,
            "formula": "Cu2",
            "config_type": "sia",
            "defect_type": "none",
            "n_atoms": 2,
            "n_defect": 0,
            "n_bulk": 2,
            "defect_mae": None,
            "bulk_mae": 0.3,
            "all_mae": 0.3,
            "defect_rmse": None,
            "bulk_rmse": sqrt((0.04 + 0.16) / 2),
            "all_rmse": sqrt(0.1),
            "ratio": None,
        }
    )


def test_an_atom_of_core_and_bulk_counts_to_both(result: LossComparison) -> None:
    assert row(result, "3region_detailed_results", model="MSE_model0", structure_idx=0) == close(
        {
            "model": "MSE_model0",
            "structure_idx": 0,
            "formula": "Cu4",
            "n_atoms": 4,
            "n_core": 2,
            "n_shell": 1,
            "n_bulk": 2,
            "core_mae": (0.1 + 0.3) / 2,
            "shell_mae": 0.2,
            "bulk_mae": (0.3 + 0.4) / 2,
            "all_mae": 0.25,
            "core_shell_ratio": 0.2 / 0.2,
            "core_bulk_ratio": 0.2 / 0.35,
        }
    )
    other = row(result, "3region_detailed_results", model="Huber_model0", structure_idx=1)
    assert (other["n_bulk"], other["bulk_mae"], other["core_bulk_ratio"]) == (0, None, None)
    assert other["core_shell_ratio"] == pytest.approx(0.1 / 0.3)


def test_summary_of_a_model(result: LossComparison) -> None:
    assert row(result, "summary_statistics", model="MSE_model1") == close(
        {
            "model": "MSE_model1",
            "defect_mae_mean": (0.3 + 0.5) / 2,
            "defect_mae_std": None,  # one structure has defect atoms
            "bulk_mae_mean": (0.2 + 0.4) / 2,
            "bulk_mae_std": 0.2 / sqrt(2),
            "all_mae_mean": (0.3 + 0.4) / 2,
            "all_mae_std": 0.1 / sqrt(2),
            "ratio_mean": 0.4 / 0.2,
            "ratio_std": None,
        }
    )
    assert row(result, "3region_summary", model="Huber_model1") == close(
        {
            "model": "Huber_model1",
            "core_mae_mean": (0.3 + 0.1) / 2,
            "core_mae_std": 0.2 / sqrt(2),
            "shell_mae_mean": (0.3 + 0.1) / 2,
            "shell_mae_std": 0.2 / sqrt(2),
            "bulk_mae_mean": (0.4 + 0.3) / 2,
            "bulk_mae_std": None,
            "core_bulk_ratio_mean": 0.3 / 0.35,
            "core_bulk_ratio_std": None,
        }
    )


def test_summary_of_a_loss(result: LossComparison) -> None:
    # bulk_mae: 0.2 and 0.3 of seed 0, 0.2 and 0.4 of seed 1; mean 0.275.
    squares = 2 * 0.075**2 + 0.025**2 + 0.125**2
    assert row(result, "ensemble_summary", loss="MSE") == close(
        {
            "loss": "MSE",
            "n_structures": 2,
            "n_seeds": 2,
            "n_rows": 4,
            "defect_mae_mean": (0.2 + 0.4) / 2,
            "defect_mae_std_over_rows": 0.2 / sqrt(2),
            "defect_mae_std_over_seeds": 0.2 / sqrt(2),
            "bulk_mae_mean": 0.275,
            "bulk_mae_std_over_rows": sqrt(squares / 3),
            "bulk_mae_std_over_seeds": (0.3 - 0.25) / sqrt(2),
            "ratio_mean": (0.2 / 0.2 + 0.4 / 0.2) / 2,
            "ratio_std_over_rows": 1 / sqrt(2),
            "ratio_std_over_seeds": 1 / sqrt(2),
        }
    )


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


def test_the_original_test_counts_structures_times_seeds(result: LossComparison) -> None:
    # defect_mae: Huber 0.2 and 0.3, MSE 0.2 and 0.4; pooled variance (0.005 + 0.02) / 2.
    found = row(result, "statistical_tests", comparison="Huber vs MSE")
    assert found["t_statistic"] == pytest.approx(-0.05 / sqrt(0.0125 * (1 / 2 + 1 / 2)))
    assert found["mean_diff"] == pytest.approx(0.25 - 0.3)
    assert (found["n1"], found["n2"], found["significant"]) == (2, 2, False)


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


def test_what_it_rests_on(result: LossComparison) -> None:
    assert row(result, "coverage", model="MSE_model0") == {
        "model": "MSE_model0",
        "loss": "MSE",
        "seed": 0,
        "n_selected": 2,
        "n_with_forces": 2,
        "n_with_regions": 2,
        "n_predicted": 2,
        "n_without_forces": 0,
        "n_failed": 0,
        "n_missing": 0,
        "n_used": 2,
    }
    assert [w for w in result.warnings if "no atoms in the region defect" in w]
    assert [w for w in result.warnings if w.startswith("Less than 3 seeds of Huber, MSE")]


def test_the_result_says_where_it_is_from(result: LossComparison) -> None:
    assert Path(result.lake_path).name == "lake"
    assert result.lake_version > 0
    assert result.models["model"].to_list() == [
        "Huber_model0",
        "Huber_model1",
        "MSE_model0",
        "MSE_model1",
    ]
    assert set(result.models["sha256"]) == {f"{number:064x}" for number in range(4)}
    assert "-- $dataset = 'cu'" in result.statements["atom_errors"]


def test_every_table_that_is_promised_is_there(result: LossComparison) -> None:
    from queries.losses import result as module

    promised = [
        line.split("``")[1] for line in str(module.__doc__).splitlines() if line.startswith("``")
    ]
    assert sorted(promised) == sorted(result.tables)
    text = " ".join(str(module.__doc__).split())
    for name, table in result.tables.items():
        for column in table.columns:
            stem = column.removesuffix("_std_over_rows").removesuffix("_std_over_seeds")
            stem = stem.removesuffix("_mean").removesuffix("_variation").removesuffix("_mae")
            assert column in text or stem in text, f"{name}.{column}"
