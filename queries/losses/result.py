"""The result of a comparison of losses: what figures, reports and files are made from.

Errors are norms of error vectors, in eV/Å; a loss is what the lake calls the group of a model. NULL
stands where a region is empty, where one seed has no spread, and where a number could not be said.

The tables of the original, column by column as it had them (variant ``legacy``):

``detailed_results``, one row per model and structure
    model, structure_idx, formula, config_type, defect_type, n_atoms, n_defect, n_bulk, defect_mae,
    bulk_mae, all_mae, defect_rmse, bulk_rmse, all_rmse, ratio
``summary_statistics``, one row per model; mean and sample deviation over structures
    model, defect_mae_mean, defect_mae_std, bulk_mae_mean, bulk_mae_std, all_mae_mean, all_mae_std,
    ratio_mean, ratio_std
``3region_detailed_results``, one row per model and structure
    model, structure_idx, formula, n_atoms, n_core, n_shell, n_bulk, core_mae, shell_mae, bulk_mae,
    all_mae, core_shell_ratio, core_bulk_ratio
``3region_summary``, one row per model
    model, core_mae_mean, core_mae_std, shell_mae_mean, shell_mae_std, bulk_mae_mean, bulk_mae_std,
    core_bulk_ratio_mean, core_bulk_ratio_std
``ensemble_summary``, one row per loss; over structures and seeds
    loss, n_structures, n_seeds, n_rows, and for each of defect_mae, bulk_mae and ratio
    ``<it>_mean``, ``<it>_std_over_rows``, ``<it>_std_over_seeds``
``statistical_tests``, one row per pair of losses, on defect_mae; unpaired, structures times seeds
    comparison ("A vs B"), t_statistic, p_value, significant, mean_diff (A - B), n1, n2

Beside them, each number named for what it is:

``selected_structures``, one row per structure, in file order
    structure_idx, structure_id, source, frame, formula, config_type, defect_kind, n_atoms
``coverage``, one row per model: what its numbers rest on
    model, loss, seed, n_selected, n_with_forces, n_with_regions, n_predicted, n_without_forces,
    n_failed, n_missing, n_used
``schemes``, one row per scheme, version and parameters: what made the regions
    scheme, scheme_version, parameters, n_structures, n_without_regions
``errors_by_model``, one row per model, scheme and region ("all", "defect", "bulk", "core", "shell")
    model, loss, seed, scheme, region, n_structures, n_atoms, mae_mean_over_structures,
    mae_std_over_structures, mae_pooled_over_atoms, rmse_mean_over_structures,
    rmse_pooled_over_atoms
``errors_by_loss``, one row per loss, scheme and region
    loss, scheme, region, n_structures, n_seeds, n_rows, n_atoms, mae_mean_over_structures,
    mae_std_over_rows, mae_std_over_seeds, mae_pooled_over_atoms, mae_pooled_std_over_seeds,
    rmse_pooled_over_atoms, mae_of_mean_prediction (mean over structures),
    mae_of_mean_prediction_pooled (over atoms)
``ratios_by_loss``, one row per loss and ratio ("defect/bulk", "core/shell", "core/bulk")
    loss, scheme, ratio, n_structures, n_seeds, n_rows, mean_over_structures, std_over_rows,
    std_over_seeds, of_pooled_errors
``mean_prediction_results``, one row per loss and structure: error of the mean force of the members
    loss, structure_idx, n_members, n_atoms, n_defect, n_bulk, n_core, n_shell, n_outer (the bulk
    of the three regions), and ``<region>_mae`` of all, defect, bulk, core, shell, outer
``reproducibility``, one row per loss; spread over seeds
    loss, n_seeds, and for each of defect_mae, bulk_mae and ratio ``<it>_mean``,
    ``<it>_std_over_seeds``, ``<it>_variation`` (their quotient, a fraction)
``paired_tests``, one row per measure ("defect_mae", "bulk_mae", "all_mae", "ratio") and pair; seeds
    averaged per structure, paired by structure
    measure, comparison, loss_1, loss_2, n_structures, n_seeds_1, n_seeds_2, mean_diff, t_statistic,
    degrees_of_freedom, p_t, p_t_holm, p_t_bh, p_permutation, p_permutation_holm, p_permutation_bh,
    permutations, is_exact, effect_size (mean over deviation of the differences), effect_size_low,
    effect_size_high, bootstrap_samples, rng_seed, is_significant (p_permutation_holm < 0.05)
``seed_tests``, one row per measure and pair, seeds as replicates; Welch's t, NULL below 3 seeds
    measure, comparison, loss_1, loss_2, n_seeds_1, n_seeds_2, mean_diff, t_statistic,
    degrees_of_freedom, p_value, p_holm, p_bh, effect_size (Hedges' g: mean_diff over the pooled
    deviation of the seeds, times 0.8 at 3 seeds each, as few make it too large), is_significant
``error_histogram``, atoms by error; one row per loss, scheme, region and bin that has atoms
    loss, scheme, region, low, high (eV/Å; 20 bins a decade, the lowest from 0), n_atoms
``error_quantiles``, one row per loss, scheme and region; over atoms and seeds
    loss, scheme, region, n_atoms, q01, q05, q25, q50, q75, q95, q99
``training_summary``, one row per run
    run_name, project, run_id, state, loss, seed, model, last_epoch, last_validation_loss,
    best_validation_loss, best_epoch, last_train_loss, n_seeds, last_validation_std_over_seeds,
    best_validation_std_over_seeds
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queries.losses.selection import Selection

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class LossComparison:
    """All numbers of one comparison, with what they were made from.

    Attributes
    ----------
    question
        One sentence: what was asked.
    selection
        The structures, the reference, the models and the regions.
    lake_path, lake_version
        The lake that was asked, and its version.
    tables
        Frames by name; see the top of this module.
    statements
        The exact SQL, by name, in the order in which it ran; values of parameters stand in comments
        above. Statements read what those before made. The tables of tests come of the view
        ``structure_errors`` and have no statement of their own.
    models
        One row per model, in order of loss and seed: model, loss, seed, engine, parent, model_id,
        sha256, dtype, r_max (Å), project, run_id (NULL where no training run is known).
    training
        Curves of the models' runs, narrow, in order of step: loss, seed, model, project, run_id,
        run_name, step, epoch (that of the last row before that had one), curve ("train_loss",
        "validation_loss" or "validation_forces_rmse"), key (as the run named it), value. Empty
        where no run is known.
    warnings
        What whoever reads the numbers must know: sentences, the most serious first.
    """

    question: str
    selection: Selection
    lake_path: str
    lake_version: int
    tables: Mapping[str, pl.DataFrame]
    statements: Mapping[str, str]
    models: pl.DataFrame
    training: pl.DataFrame
    warnings: tuple[str, ...]
