-- Structures with regions, by scheme.
-- One row per (dataset, scheme).
-- columns:
--   dataset      VARCHAR   name of the dataset
--   scheme       VARCHAR   the rule that made the regions
--   n_structures BIGINT    structures that have them
SELECT
    dataset,
    scheme,
    COUNT(*) AS n_structures
FROM regions
GROUP BY dataset, scheme
ORDER BY dataset, scheme
