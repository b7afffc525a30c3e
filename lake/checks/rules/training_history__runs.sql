-- the run of a number is not in runs
-- One row per (project, run_id).
-- columns:
--   place VARCHAR  where
SELECT DISTINCT h.project || ', run ' || h.run_id AS place
FROM training_history AS h
ANTI JOIN runs AS r
    ON h.project = r.project AND h.run_id = r.run_id
ORDER BY place
