-- Force error of every model on every structure compared, the regions side by side.
-- One row per (model, structure_idx).
-- columns:
--   model             VARCHAR        model that predicted
--   loss              VARCHAR        its loss
--   seed              BIGINT         seed of its training
--   structure_idx     INTEGER        number of the structure in the selection
--   n_atoms           BIGINT         number of atoms
--   n_defect          BIGINT         of them, in the region defect of two
--   n_bulk            BIGINT         of them, in the region bulk of two
--   n_core            BIGINT         of them, in the region core of three
--   n_shell           BIGINT         of them, in the region shell of three
--   n_outer           BIGINT         of them, in the region bulk of three
--   all_mae           DOUBLE [eV/Å]  mean over atoms of the norm of the error vector
--   defect_mae        DOUBLE [eV/Å]  the same over defect; NULL where it is empty
--   bulk_mae          DOUBLE [eV/Å]  the same over bulk of two
--   core_mae          DOUBLE [eV/Å]  the same over core
--   shell_mae         DOUBLE [eV/Å]  the same over shell
--   outer_mae         DOUBLE [eV/Å]  the same over bulk of three
--   all_rmse          DOUBLE [eV/Å]  root of the mean over atoms of the squared norm
--   defect_rmse       DOUBLE [eV/Å]  the same over defect
--   bulk_rmse         DOUBLE [eV/Å]  the same over bulk of two
--   ratio             DOUBLE         defect_mae over bulk_mae; NULL where bulk is empty or 0
--   core_shell_ratio  DOUBLE         core_mae over shell_mae; NULL where shell is empty or 0
--   core_bulk_ratio   DOUBLE         core_mae over outer_mae; NULL where that is empty or 0
SELECT
    *,
    defect_mae / NULLIF(bulk_mae, 0) AS ratio,
    core_mae / NULLIF(shell_mae, 0) AS core_shell_ratio,
    core_mae / NULLIF(outer_mae, 0) AS core_bulk_ratio
FROM (
    SELECT
        model,
        loss,
        seed,
        structure_idx,
        MAX(n_atoms) FILTER (WHERE short = 'all') AS n_atoms,
        MAX(n_atoms) FILTER (WHERE short = 'defect') AS n_defect,
        MAX(n_atoms) FILTER (WHERE short = 'bulk') AS n_bulk,
        MAX(n_atoms) FILTER (WHERE short = 'core') AS n_core,
        MAX(n_atoms) FILTER (WHERE short = 'shell') AS n_shell,
        MAX(n_atoms) FILTER (WHERE short = 'outer') AS n_outer,
        MAX(mae) FILTER (WHERE short = 'all') AS all_mae,
        MAX(mae) FILTER (WHERE short = 'defect') AS defect_mae,
        MAX(mae) FILTER (WHERE short = 'bulk') AS bulk_mae,
        MAX(mae) FILTER (WHERE short = 'core') AS core_mae,
        MAX(mae) FILTER (WHERE short = 'shell') AS shell_mae,
        MAX(mae) FILTER (WHERE short = 'outer') AS outer_mae,
        MAX(rmse) FILTER (WHERE short = 'all') AS all_rmse,
        MAX(rmse) FILTER (WHERE short = 'defect') AS defect_rmse,
        MAX(rmse) FILTER (WHERE short = 'bulk') AS bulk_rmse
    FROM region_errors
    GROUP BY model, loss, seed, structure_idx
)
