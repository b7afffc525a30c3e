-- different structures share one structure_id
-- One row per structure_id.
-- columns:
--   place VARCHAR  where
SELECT 'structure ' || structure_id AS place
FROM structures
GROUP BY structure_id
HAVING MIN(structure_check) <> MAX(structure_check)
ORDER BY place
