-- Force error of the mean prediction of the models of a loss.
-- One row per (loss, structure_idx).
-- columns:
--   loss          VARCHAR        loss the models share
--   structure_idx INTEGER        number of the structure in the selection
--   n_members     BIGINT         models averaged over
--   n_atoms       BIGINT         number of atoms
--   n_defect      BIGINT         of them, in the region defect of two
--   n_bulk        BIGINT         of them, in the region bulk of two
--   n_core        BIGINT         of them, in the region core of three
--   n_shell       BIGINT         of them, in the region shell of three
--   n_outer       BIGINT         of them, in the region bulk of three
--   all_mae       DOUBLE [eV/Å]  mean over atoms of the norm of the error vector
--   defect_mae    DOUBLE [eV/Å]  the same over defect; NULL where it is empty
--   bulk_mae      DOUBLE [eV/Å]  the same over bulk of two
--   core_mae      DOUBLE [eV/Å]  the same over core
--   shell_mae     DOUBLE [eV/Å]  the same over shell
--   outer_mae     DOUBLE [eV/Å]  the same over bulk of three
SELECT
    loss,
    structure_idx,
    ANY_VALUE(n_members) AS n_members,
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
    MAX(mae) FILTER (WHERE short = 'outer') AS outer_mae
FROM mean_prediction_errors
GROUP BY loss, structure_idx
ORDER BY loss, structure_idx
