"""Tables of the original, against numbers worked out by hand in `comparison_by_hand`."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import pytest
from comparison_by_hand import close, compare_by_hand, row

from queries.losses.result import LossComparison


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> LossComparison:
    return compare_by_hand(tmp_path_factory.mktemp("hand"))


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


def test_the_original_test_counts_structures_times_seeds(result: LossComparison) -> None:
    # defect_mae: Huber 0.2 and 0.3, MSE 0.2 and 0.4; pooled variance (0.005 + 0.02) / 2.
    found = row(result, "statistical_tests", comparison="Huber vs MSE")
    assert found["t_statistic"] == pytest.approx(-0.05 / sqrt(0.0125 * (1 / 2 + 1 / 2)))
    assert found["mean_diff"] == pytest.approx(0.25 - 0.3)
    assert (found["n1"], found["n2"], found["significant"]) == (2, 2, False)


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
    assert "No atoms in the region defect: 1 of 2 structures." in result.warnings
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
    assert "-- $dataset = 'cu'" in result.statements["force_differences"]


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
