-- the source of a reject is not in sources
-- One row per (dataset, source_id).
-- columns:
--   place VARCHAR  where
SELECT DISTINCT r.dataset || ', source ' || r.source_id AS place
FROM rejects AS r
ANTI JOIN sources AS o
    ON r.dataset = o.dataset AND r.source_id = o.source_id
ORDER BY place
