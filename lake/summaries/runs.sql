-- Training runs of every project.
-- One row per project.
-- columns:
--   project      VARCHAR   name of the project
--   n_runs       BIGINT    runs in it
SELECT
    project,
    COUNT(*) AS n_runs
FROM runs
GROUP BY project
ORDER BY project
