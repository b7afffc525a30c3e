-- Force errors of every model in two regions, over structures, as the original gave them.
-- One row per model.
-- columns:
--   model           VARCHAR        model that predicted
--   defect_mae_mean DOUBLE [eV/Å]  mean over structures of defect_mae
--   defect_mae_std  DOUBLE [eV/Å]  its sample standard deviation over structures
--   bulk_mae_mean   DOUBLE [eV/Å]  mean over structures of bulk_mae
--   bulk_mae_std    DOUBLE [eV/Å]  its sample standard deviation over structures
--   all_mae_mean    DOUBLE [eV/Å]  mean over structures of all_mae
--   all_mae_std     DOUBLE [eV/Å]  its sample standard deviation over structures
--   ratio_mean      DOUBLE         mean over structures of ratio
--   ratio_std       DOUBLE         its sample standard deviation over structures
SELECT
    model,
    AVG(defect_mae) AS defect_mae_mean,
    STDDEV_SAMP(defect_mae) AS defect_mae_std,
    AVG(bulk_mae) AS bulk_mae_mean,
    STDDEV_SAMP(bulk_mae) AS bulk_mae_std,
    AVG(all_mae) AS all_mae_mean,
    STDDEV_SAMP(all_mae) AS all_mae_std,
    AVG(ratio) AS ratio_mean,
    STDDEV_SAMP(ratio) AS ratio_std
FROM structure_errors
GROUP BY model
ORDER BY model
