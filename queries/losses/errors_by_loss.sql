-- Force error of every loss in every region: of its models, and of their mean prediction.
-- One row per (loss, scheme, region).
-- columns:
--   loss                          VARCHAR        loss the models share
--   scheme                        VARCHAR        scheme of the region; NULL for all atoms
--   region                        VARCHAR        all, defect, bulk, core or shell
--   n_structures                  BIGINT         structures that have atoms in the region
--   n_seeds                       BIGINT         models, each of another seed
--   n_rows                        BIGINT         structures times seeds
--   n_atoms                       BIGINT         atoms in the region, counted once for all seeds
--   mae_mean_over_structures      DOUBLE [eV/Å]  mean over structures and seeds of the mean norm
--   mae_std_over_rows             DOUBLE [eV/Å]  its sample deviation over structures and seeds
--   mae_std_over_seeds            DOUBLE [eV/Å]  sample deviation of the means of the seeds
--   mae_pooled_over_atoms         DOUBLE [eV/Å]  mean over all atoms and seeds of the norm
--   mae_pooled_std_over_seeds     DOUBLE [eV/Å]  sample deviation of the same of each seed
--   rmse_pooled_over_atoms        DOUBLE [eV/Å]  root mean square norm over atoms and seeds
--   mae_of_mean_prediction        DOUBLE [eV/Å]  mean over structures, of the seeds' mean force
--   mae_of_mean_prediction_pooled DOUBLE [eV/Å]  mean over all atoms, of the seeds' mean force
SELECT
    r.loss,
    r.scheme,
    r.region,
    r.n_structures,
    r.n_seeds,
    r.n_rows,
    s.n_atoms,
    r.mae_mean_over_structures,
    r.mae_std_over_rows,
    s.mae_std_over_seeds,
    r.mae_pooled_over_atoms,
    s.mae_pooled_std_over_seeds,
    r.rmse_pooled_over_atoms,
    p.mae_of_mean_prediction,
    p.mae_of_mean_prediction_pooled
FROM (
    SELECT
        loss,
        short,
        scheme,
        region,
        COUNT(DISTINCT structure_idx) FILTER (WHERE n_atoms > 0) AS n_structures,
        COUNT(DISTINCT model) AS n_seeds,
        COUNT(mae) AS n_rows,
        AVG(mae) AS mae_mean_over_structures,
        STDDEV_SAMP(mae) AS mae_std_over_rows,
        SUM(sum_error) / NULLIF(SUM(n_atoms), 0) AS mae_pooled_over_atoms,
        SQRT(SUM(sum_squared) / NULLIF(SUM(n_atoms), 0)) AS rmse_pooled_over_atoms
    FROM region_errors
    GROUP BY loss, short, scheme, region
) AS r
INNER JOIN (
    SELECT
        loss,
        short,
        MAX(n_atoms) AS n_atoms,
        STDDEV_SAMP(mae_mean) AS mae_std_over_seeds,
        STDDEV_SAMP(mae_pooled) AS mae_pooled_std_over_seeds
    FROM (
        SELECT
            loss,
            short,
            model,
            CAST(SUM(n_atoms) AS BIGINT) AS n_atoms,
            AVG(mae) AS mae_mean,
            SUM(sum_error) / NULLIF(SUM(n_atoms), 0) AS mae_pooled
        FROM region_errors
        GROUP BY loss, short, model
    )
    GROUP BY loss, short
) AS s ON r.loss = s.loss AND r.short = s.short
INNER JOIN (
    SELECT
        loss,
        short,
        AVG(mae) AS mae_of_mean_prediction,
        SUM(sum_error) / NULLIF(SUM(n_atoms), 0) AS mae_of_mean_prediction_pooled
    FROM mean_prediction_errors
    GROUP BY loss, short
) AS p ON r.loss = p.loss AND r.short = p.short
ORDER BY r.loss, r.scheme NULLS FIRST, r.region
