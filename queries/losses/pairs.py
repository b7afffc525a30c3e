"""Tests of every pair of losses: as the original made them, and as they should be.

The original took structures times seeds as independent values. But the seeds of a loss, and all
losses, see the same structures, so its p-values mean little. Beside it stand a test that pairs
structures, and one that has only the seeds as replicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, groupby, product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from queries.losses.measured import (
    differences_of,
    losses_of,
    n_seeds_of,
    seed_means,
    values_of,
)
from queries.losses.pair_columns import OF_SEEDS, PAIRED, UNPAIRED
from queries.statistics.corrections import benjamini_hochberg, holm
from queries.statistics.effect_sizes import hedges_g, paired_effect
from queries.statistics.sign_flips import sign_flip_tests
from queries.statistics.t_tests import NOTHING, paired_t, student_t, welch_t

MEASURES = ("defect_mae", "bulk_mae", "all_mae", "ratio")
ALPHA = 0.05
LEAST_SEEDS = 3  # fewer say nothing of a deviation

Rows = list[dict[str, object]]


def unpaired_tests(errors: pl.DataFrame) -> pl.DataFrame:
    """The original's test of defect_mae: Student's t, structures times seeds, not corrected.

    Parameters
    ----------
    errors
        ``loss`` and ``defect_mae``, one row per model and structure.
    """
    rows: Rows = []
    for pair in combinations(losses_of(errors), 2):
        first, second = (values_of(errors, loss, "defect_mae") for loss in pair)
        test = student_t(first, second)
        rows.append(
            {
                "comparison": " vs ".join(pair),
                "t_statistic": test.statistic,
                "p_value": test.p_value,
                "significant": None if np.isnan(test.p_value) else test.p_value < ALPHA,
                "mean_diff": _difference(first, second),
                "n1": len(first),
                "n2": len(second),
            }
        )
    return _frame(rows, UNPAIRED)


def paired_tests(errors: pl.DataFrame, rng_seed: int) -> pl.DataFrame:
    """Seeds averaged per structure, then paired by structure.

    p-values are corrected over the pairs of one measure.

    Parameters
    ----------
    errors
        ``loss``, ``model``, ``structure_idx`` and the `MEASURES`, one row per model and structure.
    rng_seed
        Seed of the sign flips and of the bootstrap, the same for every pair.
    """
    n_seeds = n_seeds_of(errors)
    pairs = list(combinations(losses_of(errors), 2))
    # All of them beside each other, so that random signs are drawn once.
    differences = np.concatenate([differences_of(errors, each, pairs) for each in MEASURES], axis=1)
    signs = sign_flip_tests(differences, rng_seed)
    rows: Rows = []
    for number, (measure, pair) in enumerate(product(MEASURES, pairs)):
        of_pair = differences[:, number]
        rows.append(
            _pair(measure, *pair, n_seeds)
            | _paired(of_pair[~np.isnan(of_pair)], rng_seed)
            | {"p_permutation": signs.p_values[number], "permutations": signs.permutations}
            | {"is_exact": signs.is_exact}
        )
    _correct(rows, "p_t", "p_t_holm", "p_t_bh")
    _correct(rows, "p_permutation", "p_permutation_holm", "p_permutation_bh")
    _judge(rows, "p_permutation_holm")
    return _frame(rows, PAIRED)


def seed_tests(errors: pl.DataFrame) -> pl.DataFrame:
    """Welch's t on one mean over structures per seed; NULL where a loss has less than 3 seeds.

    Parameters
    ----------
    errors
        ``loss``, ``model`` and the `MEASURES`, one row per model and structure.
    """
    n_seeds = n_seeds_of(errors)
    of_seeds = {measure: seed_means(errors, measure) for measure in MEASURES}
    rows: Rows = []
    for measure, pair in product(MEASURES, combinations(losses_of(errors), 2)):
        first, second = (of_seeds[measure][loss] for loss in pair)
        is_enough = min(len(first), len(second)) >= LEAST_SEEDS
        test = welch_t(first, second) if is_enough else NOTHING
        rows.append(
            _pair(measure, *pair, n_seeds)
            | {
                "mean_diff": _difference(first, second),
                "t_statistic": test.statistic,
                "degrees_of_freedom": test.degrees_of_freedom,
                "p_value": test.p_value,
                "effect_size": hedges_g(first, second) if is_enough else None,
            }
        )
    _correct(rows, "p_value", "p_holm", "p_bh")
    _judge(rows, "p_holm")
    return _frame(rows, OF_SEEDS)


def _paired(differences: NDArray[np.float64], rng_seed: int) -> dict[str, object]:
    test = paired_t(differences)
    effect = paired_effect(differences, rng_seed)
    return {
        "n_structures": len(differences),
        "mean_diff": differences.mean() if len(differences) else None,
        "t_statistic": test.statistic,
        "degrees_of_freedom": test.degrees_of_freedom,
        "p_t": test.p_value,
        "effect_size": effect.size,
        "effect_size_low": effect.low,
        "effect_size_high": effect.high,
        "bootstrap_samples": effect.samples,
        "rng_seed": rng_seed,
    }


def _pair(measure: str, first: str, second: str, n_seeds: Mapping[str, int]) -> dict[str, object]:
    return {
        "measure": measure,
        "comparison": f"{first} vs {second}",
        "loss_1": first,
        "loss_2": second,
        "n_seeds_1": n_seeds[first],
        "n_seeds_2": n_seeds[second],
    }


def _correct(rows: Rows, p_value: str, to_holm: str, to_bh: str) -> None:
    """Add p-values corrected over the pairs of each measure."""
    for _, part in groupby(rows, key=lambda row: row["measure"]):
        of_measure = list(part)
        given = np.array([row[p_value] for row in of_measure], float)
        corrected = zip(holm(given), benjamini_hochberg(given), strict=True)
        for row, (first, second) in zip(of_measure, corrected, strict=True):
            row[to_holm], row[to_bh] = float(first), float(second)


def _judge(rows: Rows, p_value: str) -> None:
    for row in rows:
        p = float(str(row[p_value]))
        row["is_significant"] = None if np.isnan(p) else p < ALPHA


def _difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    return float(first.mean() - second.mean()) if len(first) and len(second) else None


def _frame(rows: Rows, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(schema)).with_columns(pl.col(pl.Float64).fill_nan(None))
