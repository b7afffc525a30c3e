-- the model is not in models under this name
-- One row per (dataset, model).
-- columns:
--   place VARCHAR  where
SELECT DISTINCT t.dataset || ', model ' || t.model || ', model_id ' || t.model_id AS place
FROM embeddings AS t
ANTI JOIN models AS m
    ON t.model = m.model AND t.model_id = m.model_id
ORDER BY place
