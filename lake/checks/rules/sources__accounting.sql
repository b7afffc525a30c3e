-- frames_read is not rows + duplicates + rejects
-- One row per source.
-- columns:
--   place VARCHAR  where
SELECT dataset || ', source ' || source_id || ': ' || uri AS place
FROM sources
WHERE frames_read IS DISTINCT FROM rows + duplicates + rejects
ORDER BY place
