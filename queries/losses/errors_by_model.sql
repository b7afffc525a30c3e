-- Force error of every model in every region, over structures and over atoms.
-- One row per (model, scheme, region).
-- columns:
--   model                     VARCHAR        name of the model
--   loss                      VARCHAR        its loss
--   seed                      BIGINT         seed of its training
--   scheme                    VARCHAR        scheme of the region; NULL for all atoms
--   region                    VARCHAR        all, defect, bulk, core or shell
--   n_structures              BIGINT         structures that have atoms in the region
--   n_atoms                   BIGINT         atoms in the region
--   mae_mean_over_structures  DOUBLE [eV/Å]  mean over structures of the mean norm of the error
--   mae_std_over_structures   DOUBLE [eV/Å]  its sample standard deviation over structures
--   mae_pooled_over_atoms     DOUBLE [eV/Å]  mean over all atoms of the norm of the error
--   rmse_mean_over_structures DOUBLE [eV/Å]  mean over structures of the root mean square norm
--   rmse_pooled_over_atoms    DOUBLE [eV/Å]  root of the mean over all atoms of the squared norm
SELECT
    model,
    loss,
    seed,
    scheme,
    region,
    COUNT(mae) AS n_structures,
    CAST(SUM(n_atoms) AS BIGINT) AS n_atoms,
    AVG(mae) AS mae_mean_over_structures,
    STDDEV_SAMP(mae) AS mae_std_over_structures,
    SUM(sum_error) / NULLIF(SUM(n_atoms), 0) AS mae_pooled_over_atoms,
    AVG(rmse) AS rmse_mean_over_structures,
    SQRT(SUM(sum_squared) / NULLIF(SUM(n_atoms), 0)) AS rmse_pooled_over_atoms
FROM region_errors
GROUP BY model, loss, seed, scheme, region
ORDER BY loss, seed, model, scheme NULLS FIRST, region
