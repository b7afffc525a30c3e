-- the rejects of a source are not as many as it says
-- One row per source.
-- columns:
--   place VARCHAR  where
SELECT o.dataset || ', source ' || o.source_id || ': ' || o.uri AS place
FROM sources AS o
LEFT JOIN (
    SELECT
        dataset,
        source_id,
        COUNT(*) AS n
    FROM rejects
    GROUP BY dataset, source_id
) AS r
    ON o.dataset = r.dataset AND o.source_id = r.source_id
WHERE o.rejects <> COALESCE(r.n, 0)
ORDER BY place
