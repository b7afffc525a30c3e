-- different geometries share one geometry_id
-- One row per geometry_id.
-- columns:
--   place VARCHAR  where
SELECT 'geometry ' || geometry_id AS place
FROM structures
GROUP BY geometry_id
HAVING MIN(geometry_check) <> MAX(geometry_check)
ORDER BY place
