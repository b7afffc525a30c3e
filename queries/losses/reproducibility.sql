-- How much the result depends on the seed, for every loss; NULL where there is one seed.
-- One row per loss.
-- columns:
--   loss                      VARCHAR        loss the models share
--   n_seeds                   BIGINT         models, each of another seed
--   defect_mae_mean           DOUBLE [eV/Å]  mean over seeds of the mean over structures
--   defect_mae_std_over_seeds DOUBLE [eV/Å]  its sample standard deviation over seeds
--   defect_mae_variation      DOUBLE         the deviation over the mean, a fraction
--   bulk_mae_mean             DOUBLE [eV/Å]  mean over seeds of the mean over structures
--   bulk_mae_std_over_seeds   DOUBLE [eV/Å]  its sample standard deviation over seeds
--   bulk_mae_variation        DOUBLE         the deviation over the mean, a fraction
--   ratio_mean                DOUBLE         mean over seeds of the mean over structures
--   ratio_std_over_seeds      DOUBLE         its sample standard deviation over seeds
--   ratio_variation           DOUBLE         the deviation over the mean, a fraction
SELECT
    loss,
    COUNT(*) AS n_seeds,
    AVG(defect_mae) AS defect_mae_mean,
    STDDEV_SAMP(defect_mae) AS defect_mae_std_over_seeds,
    STDDEV_SAMP(defect_mae) / NULLIF(AVG(defect_mae), 0) AS defect_mae_variation,
    AVG(bulk_mae) AS bulk_mae_mean,
    STDDEV_SAMP(bulk_mae) AS bulk_mae_std_over_seeds,
    STDDEV_SAMP(bulk_mae) / NULLIF(AVG(bulk_mae), 0) AS bulk_mae_variation,
    AVG(ratio) AS ratio_mean,
    STDDEV_SAMP(ratio) AS ratio_std_over_seeds,
    STDDEV_SAMP(ratio) / NULLIF(AVG(ratio), 0) AS ratio_variation
FROM model_means
GROUP BY loss
ORDER BY loss
