"""Columns of the tables that test pairs of losses."""

from __future__ import annotations

import polars as pl

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
