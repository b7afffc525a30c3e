"""Made-up comparisons of losses, with numbers as real ones have them.

Each table is worked out from the rows per model and structure, so that they agree with each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from queries.losses.result import LossComparison
from queries.losses.selection import Selection

SIX = ("MSE", "RMCE", "RMQE", "RMSE", "StratHuber", "TailHuber")
TWO = ("MSE", "TailHuber")
N_ATOMS = {"core": 8, "shell": 40, "outer": 201, "defect": 14, "bulk": 180}
LEVELS = {"defect": 0.062, "bulk": 0.018, "core": 0.071, "shell": 0.034, "outer": 0.017}  # eV/Å
BINS_A_DECADE = 20
MEASURES = ("defect_mae", "bulk_mae", "all_mae", "ratio")


def comparison(
    losses: Sequence[str] = SIX,
    n_seeds: int = 3,
    n_structures: int = 50,
    *,
    has_bulk: bool = True,
    has_training: bool = True,
    n_epochs: int = 40,
    where: str | None = "config_type LIKE 'vac%' AND n_atoms > 100",
    warnings: tuple[str, ...] = (),
) -> LossComparison:
    """A comparison of so many losses; without bulk, its region is empty in every structure."""
    random = np.random.default_rng(7)
    models = _models(losses, n_seeds, has_training)
    rows = _rows(models, n_structures, has_bulk, random)
    training = _training(models if has_training else models.clear(), n_epochs, random)
    tables = _tables(rows, models, training, n_structures, n_seeds)
    return LossComparison(
        question="Which loss trains the better potential for defects, without losing the bulk?",
        selection=Selection(dataset="w-defects", label_set="dft", where=where, limit=n_structures),
        lake_path="lakes/demo",
        lake_version=17,
        tables=tables,
        statements={name: _statement(name) for name in ("detailed_results", "ensemble_summary")},
        models=models,
        training=training,
        warnings=warnings,
    )


def _statement(name: str) -> str:
    return f"-- dataset = 'w-defects'\nSELECT *\nFROM {name}\nWHERE n_atoms < 5\nORDER BY ALL;\n"


def _models(losses: Sequence[str], n_seeds: int, has_runs: bool) -> pl.DataFrame:
    rows = [
        {
            "model": f"mace-{loss}-s{seed}",
            "loss": loss,
            "seed": seed,
            "engine": "mace",
            "parent": None,
            "model_id": number * 1000 + seed,
            "sha256": hashlib.sha256(f"{loss}{seed}".encode()).hexdigest(),
            "dtype": "float64",
            "project": "team/defects" if has_runs else None,
            "run_id": f"r{number}{seed}" if has_runs else None,
        }
        for number, loss in enumerate(losses)
        for seed in range(n_seeds)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _rows(
    models: pl.DataFrame, n_structures: int, has_bulk: bool, random: np.random.Generator
) -> pl.DataFrame:
    """One row per model and structure, both divisions of its atoms beside each other."""
    losses = models["loss"].unique(maintain_order=True).to_list()
    hardness = random.lognormal(0.0, 0.35, n_structures)
    frames = []
    for model in models.iter_rows(named=True):
        number = losses.index(model["loss"])
        of_seed = random.normal(1.0, 0.04)
        columns: dict[str, Any] = {
            region: level
            * (1 - 0.05 * number)
            * of_seed
            * hardness
            * random.lognormal(0.0, 0.12, n_structures)
            for region, level in LEVELS.items()
        }
        columns["bulk"] = columns["bulk"] * (1 + 0.09 * number) if has_bulk else None
        frames.append(
            pl.DataFrame(
                {
                    "model": model["model"],
                    "loss": model["loss"],
                    "seed": model["seed"],
                    "structure_idx": np.arange(n_structures),
                    "formula": "W249",
                    "config_type": "vac_md",
                    "n_atoms": 249,
                    **columns,
                },
                schema_overrides=dict.fromkeys(LEVELS, pl.Float64),
            )
        )
    share = N_ATOMS["core"] / 249, N_ATOMS["shell"] / 249, N_ATOMS["outer"] / 249
    return pl.concat(frames).with_columns(
        all=share[0] * pl.col("core") + share[1] * pl.col("shell") + share[2] * pl.col("outer"),
        ratio=pl.col("defect") / pl.col("bulk"),
    )


def _tables(
    rows: pl.DataFrame,
    models: pl.DataFrame,
    training: pl.DataFrame,
    n_structures: int,
    n_seeds: int,
) -> dict[str, pl.DataFrame]:
    has_bulk = rows["bulk"].null_count() == 0
    detailed = rows.select(
        "model",
        "structure_idx",
        "formula",
        "config_type",
        pl.lit("vacancy").alias("defect_type"),
        "n_atoms",
        pl.lit(N_ATOMS["defect"]).alias("n_defect"),
        pl.lit(N_ATOMS["bulk"] if has_bulk else 0).alias("n_bulk"),
        *[pl.col(r).alias(f"{r}_mae") for r in ("defect", "bulk", "all")],
        *[(pl.col(r) * 1.3).alias(f"{r}_rmse") for r in ("defect", "bulk", "all")],
        "ratio",
    )
    measured = detailed.join(models.select("model", "loss", "seed"), on="model")
    by_seed = measured.group_by("loss", "seed", maintain_order=True).agg(pl.mean(*MEASURES))
    return {
        "ensemble_summary": _ensemble(measured, by_seed, n_structures, n_seeds),
        "summary_statistics": detailed.group_by("model", maintain_order=True).agg(
            *[
                f(m).alias(f"{m}_{n}")
                for m in MEASURES
                for n, f in (("mean", pl.mean), ("std", pl.std))
            ]
        ),
        "detailed_results": detailed,
        "3region_summary": _three_regions(rows),
        "reproducibility": _reproducibility(by_seed),
        "errors_by_loss": _by_region(rows, n_seeds),
        "ratios_by_loss": _ratios(rows, n_structures, n_seeds),
        "statistical_tests": _tests(measured),
        "paired_tests": _paired(measured, n_seeds),
        "error_histogram": _histogram(rows),
        "error_quantiles": _quantiles(rows),
        "training_summary": _last(training),
    }


def _three_regions(rows: pl.DataFrame) -> pl.DataFrame:
    each = rows.with_columns(
        core_bulk_ratio=pl.col("core") / pl.col("outer"),
    ).rename({"core": "core_mae", "shell": "shell_mae", "outer": "bulk_mae"})
    wanted = ("core_mae", "shell_mae", "bulk_mae", "core_bulk_ratio")
    return each.group_by("model", maintain_order=True).agg(
        *[pl.mean(m).alias(f"{m}_mean") for m in wanted],
        *[pl.std(m).alias(f"{m}_std") for m in wanted],
    )


def _ensemble(
    measured: pl.DataFrame, by_seed: pl.DataFrame, n_structures: int, n_seeds: int
) -> pl.DataFrame:
    wanted = ("defect_mae", "bulk_mae", "ratio")
    counts = [pl.lit(n_structures).alias("n_structures"), pl.lit(n_seeds).alias("n_seeds")]
    over_rows = measured.group_by("loss", maintain_order=True).agg(
        *counts,
        pl.len().alias("n_rows"),
        *[pl.mean(m).alias(f"{m}_mean") for m in wanted],
        *[pl.std(m).alias(f"{m}_std_over_rows") for m in wanted],
    )
    over_seeds = by_seed.group_by("loss", maintain_order=True).agg(
        pl.std(m).alias(f"{m}_std_over_seeds") for m in wanted
    )
    return over_rows.join(over_seeds, on="loss", maintain_order="left").sort("loss")


def _reproducibility(by_seed: pl.DataFrame) -> pl.DataFrame:
    wanted = ("defect_mae", "bulk_mae", "ratio")
    spread = by_seed.group_by("loss", maintain_order=True).agg(
        pl.len().alias("n_seeds"),
        *[pl.mean(m).alias(f"{m}_mean") for m in wanted],
        *[pl.std(m).alias(f"{m}_std_over_seeds") for m in wanted],
    )
    return spread.with_columns(
        (pl.col(f"{m}_std_over_seeds") / pl.col(f"{m}_mean")).alias(f"{m}_variation")
        for m in wanted
    ).sort("loss")


def _by_region(rows: pl.DataFrame, n_seeds: int) -> pl.DataFrame:
    named = [
        ("legacy-2", "all", "all"),
        ("legacy-2", "defect", "defect"),
        ("legacy-2", "bulk", "bulk"),
        ("legacy-3", "core", "core"),
        ("legacy-3", "shell", "shell"),
        ("legacy-3", "bulk", "outer"),
    ]
    frames = []
    for scheme, region, column in named:
        seeds = rows.group_by("loss", "seed", maintain_order=True).agg(pl.mean(column))
        spread = seeds.group_by("loss").agg(pl.std(column).alias("mae_std_over_seeds"))
        frames.append(
            rows.group_by("loss", maintain_order=True)
            .agg(
                pl.lit(scheme).alias("scheme"),
                pl.lit(region).alias("region"),
                pl.col("structure_idx")
                .filter(pl.col(column).is_not_null())
                .n_unique()
                .alias("n_structures"),
                pl.lit(n_seeds).alias("n_seeds"),
                pl.mean(column).alias("mae_mean_over_structures"),
                pl.std(column).alias("mae_std_over_rows"),
            )
            .join(spread, on="loss", maintain_order="left")
        )
    return pl.concat(frames).sort("loss", "scheme", maintain_order=True)


def _ratios(rows: pl.DataFrame, n_structures: int, n_seeds: int) -> pl.DataFrame:
    quotients = {
        ("legacy-2", "defect/bulk"): pl.col("defect") / pl.col("bulk"),
        ("legacy-3", "core/shell"): pl.col("core") / pl.col("shell"),
        ("legacy-3", "core/bulk"): pl.col("core") / pl.col("outer"),
    }
    frames = []
    for (scheme, ratio), quotient in quotients.items():
        each = rows.with_columns(quotient.alias("value"))
        seeds = each.group_by("loss", "seed", maintain_order=True).agg(pl.mean("value"))
        spread = seeds.group_by("loss").agg(pl.std("value").alias("std_over_seeds"))
        frames.append(
            each.group_by("loss", maintain_order=True)
            .agg(
                pl.lit(scheme).alias("scheme"),
                pl.lit(ratio).alias("ratio"),
                pl.lit(n_structures).alias("n_structures"),
                pl.lit(n_seeds).alias("n_seeds"),
                pl.mean("value").alias("mean_over_structures"),
                pl.std("value").alias("std_over_rows"),
            )
            .join(spread, on="loss", maintain_order="left")
        )
    return pl.concat(frames).sort("loss", "scheme", maintain_order=True)


def _tests(measured: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for first, second in combinations(sorted(measured["loss"].unique()), 2):
        a = measured.filter(loss=first)["defect_mae"].to_numpy()
        b = measured.filter(loss=second)["defect_mae"].to_numpy()
        t, p = stats.ttest_ind(a, b)
        rows.append(
            (f"{first} vs {second}", t, p, bool(p < 0.05), a.mean() - b.mean(), len(a), len(b))
        )
    names = ["comparison", "t_statistic", "p_value", "significant", "mean_diff", "n1", "n2"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _paired(measured: pl.DataFrame, n_seeds: int) -> pl.DataFrame:
    """The paired tests; Bonferroni's correction stands for Holm's."""
    means = measured.group_by("loss", "structure_idx", maintain_order=True).agg(pl.mean(*MEASURES))
    pairs = list(combinations(sorted(measured["loss"].unique()), 2))
    rows = []
    for measure in MEASURES:
        for first, second in pairs:
            a, b = (means.filter(loss=x)[measure].to_numpy() for x in (first, second))
            is_known = measure not in ("bulk_mae", "ratio") or not np.isnan(a.astype(float)).any()
            differences = a - b if is_known else None
            p = stats.ttest_1samp(differences, 0).pvalue if is_known else None
            holm = min(1.0, p * len(pairs)) if is_known else None
            rows.append(
                {
                    "measure": measure,
                    "comparison": f"{first} vs {second}",
                    "loss_1": first,
                    "loss_2": second,
                    "n_structures": len(a),
                    "n_seeds_1": n_seeds,
                    "n_seeds_2": n_seeds,
                    "mean_diff": differences.mean() if is_known else None,
                    "p_permutation": p,
                    "p_permutation_holm": holm,
                    "permutations": 10000,
                    "rng_seed": 0,
                    "is_significant": bool(holm < 0.05) if is_known else None,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _draws(rows: pl.DataFrame, loss: str, region: str) -> np.ndarray:
    """Errors of atoms: as many as a region has, around the error of each structure."""
    column = {"bulk": "bulk", "defect": "defect"}[region]
    if rows[column].null_count():
        return np.zeros(0)
    random = np.random.default_rng(len(loss))
    means = rows.filter(loss=loss)[column].to_numpy()
    return (means[:, None] * random.gamma(2.0, 0.5, (len(means), N_ATOMS[region]))).ravel()


def _histogram(rows: pl.DataFrame) -> pl.DataFrame:
    edges = np.concatenate([[0.0], 10 ** np.arange(-6, 1.01, 1 / BINS_A_DECADE)])
    frames = []
    for loss in rows["loss"].unique(maintain_order=True):
        for region in ("defect", "bulk"):
            counts, _ = np.histogram(_draws(rows, loss, region), edges)
            frames.append(
                pl.DataFrame(
                    {
                        "loss": loss,
                        "scheme": "legacy-2",
                        "region": region,
                        "low": edges[:-1],
                        "high": edges[1:],
                        "n_atoms": counts,
                    }
                ).filter(pl.col("n_atoms") > 0)
            )
    return pl.concat(frames)


def _quantiles(rows: pl.DataFrame) -> pl.DataFrame:
    levels = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    table = []
    for loss in rows["loss"].unique(maintain_order=True):
        for region in ("defect", "bulk"):
            errors = _draws(rows, loss, region)
            if len(errors):
                values = {f"q{level * 100:02.0f}": np.quantile(errors, level) for level in levels}
                table.append(
                    {
                        "loss": loss,
                        "scheme": "legacy-2",
                        "region": region,
                        "n_atoms": len(errors),
                        **values,
                    }
                )
    return pl.DataFrame(table)


TRAINING_SCHEMA = {
    "loss": pl.String,
    "seed": pl.Int64,
    "model": pl.String,
    "project": pl.String,
    "run_id": pl.String,
    "run_name": pl.String,
    "step": pl.Int64,
    "epoch": pl.Float64,
    "curve": pl.String,
    "key": pl.String,
    "value": pl.Float64,
}


def _training(models: pl.DataFrame, n_epochs: int, random: np.random.Generator) -> pl.DataFrame:
    keys = {
        "train_loss": "train_loss_step/weighted_sum",
        "validation_loss": "val0_epoch/weighted_sum",
        "validation_forces_rmse": "val0_epoch/forces_rmse",
    }
    losses = models["loss"].unique(maintain_order=True).to_list()
    frames = []
    for model in models.iter_rows(named=True):
        number = losses.index(model["loss"])
        for curve, key in keys.items():
            a_step = 5 if curve == "train_loss" else 1
            n = n_epochs * a_step
            decay = np.exp(-5 * np.arange(n) / n)
            noise = random.lognormal(0, 0.15 if a_step == 5 else 0.06, n)
            frames.append(
                pl.DataFrame(
                    {
                        "loss": model["loss"],
                        "seed": model["seed"],
                        "model": model["model"],
                        "project": model["project"],
                        "run_id": model["run_id"],
                        "run_name": model["model"],
                        "step": np.arange(n) * (5 // a_step),
                        "epoch": (np.arange(n) // a_step).astype(float),
                        "curve": curve,
                        "key": key,
                        "value": (0.02 * (1 + 0.4 * number) + decay) * noise,
                    },
                    schema=TRAINING_SCHEMA,
                )
            )
    return pl.concat(frames) if frames else pl.DataFrame(schema=TRAINING_SCHEMA)


def _last(training: pl.DataFrame) -> pl.DataFrame:
    validation = training.filter(curve="validation_loss")
    runs = validation.group_by(
        "run_name", "project", "run_id", "loss", "seed", "model", maintain_order=True
    ).agg(
        pl.lit("finished").alias("state"),
        pl.last("epoch").alias("last_epoch"),
        pl.last("value").alias("last_validation_loss"),
        pl.min("value").alias("best_validation_loss"),
    )
    return runs.with_columns(
        pl.std("last_validation_loss").over("loss").alias("last_validation_std_over_seeds"),
        pl.len().over("loss").alias("n_seeds"),
    )
