-- the source of labels is not in sources
-- One row per (dataset, source_id).
-- columns:
--   place VARCHAR  where
SELECT DISTINCT l.dataset || ', source ' || l.source_id AS place
FROM labels AS l
ANTI JOIN sources AS o
    ON l.dataset = o.dataset AND l.source_id = o.source_id
WHERE l.source_id IS NOT NULL
ORDER BY place
