-- Force errors of every model in three regions, over structures, as the original gave them.
-- One row per model.
-- columns:
--   model                VARCHAR        model that predicted
--   core_mae_mean        DOUBLE [eV/Å]  mean over structures of core_mae
--   core_mae_std         DOUBLE [eV/Å]  its sample standard deviation over structures
--   shell_mae_mean       DOUBLE [eV/Å]  mean over structures of shell_mae
--   shell_mae_std        DOUBLE [eV/Å]  its sample standard deviation over structures
--   bulk_mae_mean        DOUBLE [eV/Å]  mean over structures of bulk_mae
--   bulk_mae_std         DOUBLE [eV/Å]  its sample standard deviation over structures
--   core_bulk_ratio_mean DOUBLE         mean over structures of core_bulk_ratio
--   core_bulk_ratio_std  DOUBLE         its sample standard deviation over structures
SELECT
    model,
    AVG(core_mae) AS core_mae_mean,
    STDDEV_SAMP(core_mae) AS core_mae_std,
    AVG(shell_mae) AS shell_mae_mean,
    STDDEV_SAMP(shell_mae) AS shell_mae_std,
    AVG(outer_mae) AS bulk_mae_mean,
    STDDEV_SAMP(outer_mae) AS bulk_mae_std,
    AVG(core_bulk_ratio) AS core_bulk_ratio_mean,
    STDDEV_SAMP(core_bulk_ratio) AS core_bulk_ratio_std
FROM structure_errors
GROUP BY model
ORDER BY model
