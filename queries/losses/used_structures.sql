-- The structures that every model can be judged on.
-- One row per structure_idx.
-- columns:
--   structure_idx INTEGER  number of the structure in the selection
SELECT structure_idx
FROM error_sums
GROUP BY structure_idx
HAVING COUNT(DISTINCT model) = (SELECT COUNT(*) FROM selected_models)
ORDER BY structure_idx
