"""Tables of a made-up comparison of losses, each worked out from the same rows."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
from loss_curves import last_losses
from loss_distributions import N_ATOMS, histogram_of, quantiles_of
from scipy import stats

MEASURES = ("defect_mae", "bulk_mae", "all_mae", "ratio")


def tables_of(
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
        "error_histogram": histogram_of(rows),
        "error_quantiles": quantiles_of(rows),
        "training_summary": last_losses(training),
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
