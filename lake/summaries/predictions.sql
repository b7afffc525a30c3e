-- Predictions of every model.
-- One row per (dataset, model).
-- columns:
--   dataset      VARCHAR   name of the dataset
--   model        VARCHAR   name of the model
--   n_ok         BIGINT    structures it could do
--   n_failed     BIGINT    structures it could not do
SELECT
    dataset,
    model,
    COUNT(*) FILTER (WHERE status = 'ok') AS n_ok,
    COUNT(*) FILTER (WHERE status <> 'ok') AS n_failed
FROM predictions
GROUP BY dataset, model
ORDER BY dataset, model
