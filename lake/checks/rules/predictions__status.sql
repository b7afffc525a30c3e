-- numbers and status do not go together: ok has some and no error, failed the reverse
-- One row per (dataset, model, structure_id).
-- columns:
--   place VARCHAR  where
SELECT dataset || ', model ' || model || ', structure ' || structure_id AS place
FROM predictions
WHERE NOT COALESCE(
    CASE status
        WHEN 'ok' THEN
            (energy IS NOT NULL OR forces IS NOT NULL OR stress IS NOT NULL) AND error IS NULL
        WHEN 'failed' THEN
            energy IS NULL AND forces IS NULL AND stress IS NULL AND error IS NOT NULL
    END,
    FALSE
)
ORDER BY place
