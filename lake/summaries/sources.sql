-- What was read into every dataset.
-- One row per dataset. Training logs are told with their runs, and do not make a project a dataset.
-- columns:
--   dataset      VARCHAR   name of the dataset
--   n_sources    BIGINT    files read
--   n_frames     BIGINT    frames found in them
--   n_duplicates BIGINT    frames that were in the dataset already
--   n_rejects    BIGINT    frames refused
SELECT
    dataset,
    COUNT(*) AS n_sources,
    CAST(SUM(frames_read) AS BIGINT) AS n_frames,
    CAST(SUM(duplicates) AS BIGINT) AS n_duplicates,
    CAST(SUM(rejects) AS BIGINT) AS n_rejects
FROM sources
WHERE format NOT IN ('wandb', 'wandb-server', 'mace-log', 'lightning')
GROUP BY dataset
ORDER BY dataset
