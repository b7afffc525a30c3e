-- the source of a structure is not in sources
-- One row per (dataset, source_id).
-- columns:
--   place VARCHAR  where
SELECT DISTINCT s.dataset || ', source ' || s.source_id AS place
FROM structures AS s
ANTI JOIN sources AS o
    ON s.dataset = o.dataset AND s.source_id = o.source_id
WHERE s.source_id IS NOT NULL
ORDER BY place
