-- Kinds of configuration in every dataset, most frequent first.
-- One row per (dataset, config_type).
-- columns:
--   dataset      VARCHAR   name of the dataset
--   config_type  VARCHAR   kind of configuration
--   n_structures BIGINT    structures of that kind
SELECT
    dataset,
    config_type,
    COUNT(*) AS n_structures
FROM structures
WHERE config_type IS NOT NULL
GROUP BY dataset, config_type
ORDER BY dataset, n_structures DESC, config_type
