-- Force errors of every loss in two regions as the original gave them, and their spread over seeds.
-- One row per loss.
-- columns:
--   loss                      VARCHAR        loss the models share
--   n_structures              BIGINT         structures compared
--   n_seeds                   BIGINT         models, each of another seed
--   n_rows                    BIGINT         structures times seeds, once n_models
--   defect_mae_mean           DOUBLE [eV/Å]  mean of defect_mae over structures and seeds
--   defect_mae_std_over_rows  DOUBLE [eV/Å]  sample deviation over structures and seeds
--   defect_mae_std_over_seeds DOUBLE [eV/Å]  sample standard deviation of the means of the seeds
--   bulk_mae_mean             DOUBLE [eV/Å]  mean of bulk_mae over structures and seeds
--   bulk_mae_std_over_rows    DOUBLE [eV/Å]  sample deviation over structures and seeds
--   bulk_mae_std_over_seeds   DOUBLE [eV/Å]  sample standard deviation of the means of the seeds
--   ratio_mean                DOUBLE         mean of ratio over structures and seeds
--   ratio_std_over_rows       DOUBLE         sample deviation over structures and seeds
--   ratio_std_over_seeds      DOUBLE         sample standard deviation of the means of the seeds
SELECT
    r.loss,
    r.n_structures,
    r.n_seeds,
    r.n_rows,
    r.defect_mae_mean,
    r.defect_mae_std_over_rows,
    s.defect_mae_std_over_seeds,
    r.bulk_mae_mean,
    r.bulk_mae_std_over_rows,
    s.bulk_mae_std_over_seeds,
    r.ratio_mean,
    r.ratio_std_over_rows,
    s.ratio_std_over_seeds
FROM (
    SELECT
        loss,
        COUNT(DISTINCT structure_idx) AS n_structures,
        COUNT(DISTINCT model) AS n_seeds,
        COUNT(*) AS n_rows,
        AVG(defect_mae) AS defect_mae_mean,
        STDDEV_SAMP(defect_mae) AS defect_mae_std_over_rows,
        AVG(bulk_mae) AS bulk_mae_mean,
        STDDEV_SAMP(bulk_mae) AS bulk_mae_std_over_rows,
        AVG(ratio) AS ratio_mean,
        STDDEV_SAMP(ratio) AS ratio_std_over_rows
    FROM structure_errors
    GROUP BY loss
) AS r
INNER JOIN (
    SELECT
        loss,
        STDDEV_SAMP(defect_mae) AS defect_mae_std_over_seeds,
        STDDEV_SAMP(bulk_mae) AS bulk_mae_std_over_seeds,
        STDDEV_SAMP(ratio) AS ratio_std_over_seeds
    FROM model_means
    GROUP BY loss
) AS s ON r.loss = s.loss
ORDER BY r.loss
