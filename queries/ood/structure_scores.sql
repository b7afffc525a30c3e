-- Variance of the latents of structures, from that of their atoms.
-- One row per structure_id.
-- params:
--   n_features INTEGER  width of the latents
-- columns:
--   structure_id              BIGINT  hash of the structure
--   latent_variance_trace     DOUBLE  variance over members, summed over features: mean over atoms
--   latent_variance_mean      DOUBLE  the same divided by the number of features
--   latent_variance_trace_max DOUBLE  greatest of an atom
--   latent_variance_trace_p95 DOUBLE  95th percentile over atoms, interpolated
SELECT
    structure_id,
    AVG(variance) AS latent_variance_trace,
    AVG(variance) / $n_features AS latent_variance_mean,
    MAX(variance) AS latent_variance_trace_max,
    QUANTILE_CONT(variance, 0.95) AS latent_variance_trace_p95
FROM atom_variances
GROUP BY structure_id
ORDER BY structure_id
