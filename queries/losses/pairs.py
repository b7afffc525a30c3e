"""Tests of every pair of losses: as the original made them, and as they should be.

The original took structures times seeds as independent values. But the seeds of a loss, and all
losses, see the same structures, so its p-values mean little. Beside it stand a test that pairs
structures, and one that has only the seeds as replicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from queries.statistics.corrections import benjamini_hochberg, holm
from queries.statistics.effect_sizes import hedges_g, paired_effect
from queries.statistics.sign_flips import FLIPS, sign_flip_tests
from queries.statistics.t_tests import NOTHING, paired_t, student_t, welch_t

MEASURES = ("defect_mae", "bulk_mae", "all_mae", "ratio")
ALPHA = 0.05
LEAST_SEEDS = 3  # fewer say nothing of a deviation

UNPAIRED = {
    "comparison": pl.String,
    "t_statistic": pl.Float64,
    "p_value": pl.Float64,
    "significant": pl.Boolean,
    "mean_diff": pl.Float64,
    "n1": pl.Int64,
    "n2": pl.Int64,
}
_PAIR = {
    "measure": pl.String,
    "comparison": pl.String,
    "loss_1": pl.String,
    "loss_2": pl.String,
}
PAIRED = _PAIR | {
    "n_structures": pl.Int64,
    "n_seeds_1": pl.Int64,
    "n_seeds_2": pl.Int64,
    "mean_diff": pl.Float64,
    "t_statistic": pl.Float64,
    "degrees_of_freedom": pl.Float64,
    "p_t": pl.Float64,
    "p_t_holm": pl.Float64,
    "p_t_bh": pl.Float64,
    "p_permutation": pl.Float64,
    "p_permutation_holm": pl.Float64,
    "p_permutation_bh": pl.Float64,
    "permutations": pl.Int64,
    "is_exact": pl.Boolean,
    "effect_size": pl.Float64,
    "effect_size_low": pl.Float64,
    "effect_size_high": pl.Float64,
    "bootstrap_samples": pl.Int64,
    "rng_seed": pl.Int64,
    "is_significant": pl.Boolean,
}
OF_SEEDS = _PAIR | {
    "n_seeds_1": pl.Int64,
    "n_seeds_2": pl.Int64,
    "mean_diff": pl.Float64,
    "t_statistic": pl.Float64,
    "degrees_of_freedom": pl.Float64,
    "p_value": pl.Float64,
    "p_holm": pl.Float64,
    "p_bh": pl.Float64,
    "effect_size": pl.Float64,
    "is_significant": pl.Boolean,
}
Rows = list[dict[str, object]]


def unpaired_tests(errors: pl.DataFrame) -> pl.DataFrame:
    """The original's test of defect_mae: Student's t, structures times seeds, not corrected.

    Parameters
    ----------
    errors
        ``loss`` and ``defect_mae``, one row per model and structure.
    """
    rows: Rows = []
    for first, second in combinations(_losses(errors), 2):
        values = [
            errors.filter(loss=loss)["defect_mae"].drop_nulls().to_numpy()
            for loss in (first, second)
        ]
        test = student_t(*values)
        rows.append(
            {
                "comparison": f"{first} vs {second}",
                "t_statistic": test.statistic,
                "p_value": test.p_value,
                "significant": None if np.isnan(test.p_value) else test.p_value < ALPHA,
                "mean_diff": _difference(*values),
                "n1": len(values[0]),
                "n2": len(values[1]),
            }
        )
    return _frame(rows, UNPAIRED)


def paired_tests(errors: pl.DataFrame, rng_seed: int, flips: int = FLIPS) -> pl.DataFrame:
    """Seeds averaged per structure, then paired by structure.

    p-values are corrected over the pairs of one measure.

    Parameters
    ----------
    errors
        ``loss``, ``model``, ``structure_idx`` and the `MEASURES`, one row per model and structure.
    rng_seed
        Seed of the sign flips and of the bootstrap, the same for every pair.
    flips
        Random choices of signs.
    """
    n_seeds = _n_seeds(errors)
    pairs = list(combinations(_losses(errors), 2))
    rows: Rows = []
    for measure in MEASURES:
        differences = _differences(errors, measure, pairs)
        signs = sign_flip_tests(differences, rng_seed, flips)
        of_measure = [
            _pair(measure, *pair, n_seeds)
            | _paired(differences[:, i][~np.isnan(differences[:, i])], rng_seed)
            | {"p_permutation": signs.p_values[i], "permutations": signs.permutations}
            | {"is_exact": signs.is_exact}
            for i, pair in enumerate(pairs)
        ]
        for p_value in ("p_t", "p_permutation"):
            _correct(of_measure, p_value, f"{p_value}_holm", f"{p_value}_bh")
        rows += _judged(of_measure, "p_permutation_holm")
    return _frame(rows, PAIRED)


def seed_tests(errors: pl.DataFrame) -> pl.DataFrame:
    """Welch's t on one mean over structures per seed; NULL where a loss has less than 3 seeds.

    Parameters
    ----------
    errors
        ``loss``, ``model`` and the `MEASURES`, one row per model and structure.
    """
    n_seeds = _n_seeds(errors)
    of_models = errors.group_by("loss", "model").agg(pl.col(MEASURES).mean()).sort("model")
    rows: Rows = []
    for measure in MEASURES:
        of_measure = []
        for first, second in combinations(_losses(errors), 2):
            values = [
                of_models.filter(loss=loss)[measure].drop_nulls().to_numpy()
                for loss in (first, second)
            ]
            is_enough = min(map(len, values)) >= LEAST_SEEDS
            test = welch_t(*values) if is_enough else NOTHING
            of_measure.append(
                _pair(measure, first, second, n_seeds)
                | {
                    "mean_diff": _difference(*values),
                    "t_statistic": test.statistic,
                    "degrees_of_freedom": test.degrees_of_freedom,
                    "p_value": test.p_value,
                    "effect_size": hedges_g(*values) if is_enough else None,
                }
            )
        _correct(of_measure, "p_value", "p_holm", "p_bh")
        rows += _judged(of_measure, "p_holm")
    return _frame(rows, OF_SEEDS)


def _differences(
    errors: pl.DataFrame, measure: str, pairs: Sequence[tuple[str, str]]
) -> NDArray[np.float64]:
    """Mean over the seeds of the first loss minus that of the second, structure by structure.

    NaN where one has no value. Shape (n_structures, n_pairs).
    """
    means = errors.group_by("loss", "structure_idx").agg(pl.col(measure).mean())
    wide = means.pivot("loss", index="structure_idx", values=measure).sort("structure_idx")
    columns = {loss: wide[loss].cast(pl.Float64).to_numpy() for loss in _losses(errors)}
    differences = [columns[first] - columns[second] for first, second in pairs]
    return np.array(differences).reshape(len(pairs), len(wide)).T


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
    given = np.array([row[p_value] for row in rows], float)
    for row, first, second in zip(rows, holm(given), benjamini_hochberg(given), strict=True):
        row[to_holm], row[to_bh] = float(first), float(second)


def _judged(rows: Rows, p_value: str) -> Iterator[dict[str, object]]:
    for row in rows:
        p = float(str(row[p_value]))
        yield row | {"is_significant": None if np.isnan(p) else p < ALPHA}


def _difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    return float(first.mean() - second.mean()) if len(first) and len(second) else None


def _losses(errors: pl.DataFrame) -> Sequence[str]:
    return [str(loss) for loss in errors["loss"].unique().sort()]


def _n_seeds(errors: pl.DataFrame) -> dict[str, int]:
    return dict(errors.group_by("loss").agg(pl.col("model").n_unique()).rows())


def _frame(rows: Rows, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(schema)).with_columns(pl.col(pl.Float64).fill_nan(None))
