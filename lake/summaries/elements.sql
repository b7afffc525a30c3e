-- Elements of every dataset.
-- One row per (dataset, element).
-- columns:
--   dataset      VARCHAR   name of the dataset
--   element      VARCHAR   chemical symbol
SELECT DISTINCT
    dataset,
    UNNEST(elements) AS element
FROM (
    SELECT DISTINCT
        dataset,
        elements
    FROM structures
)
ORDER BY dataset, element
