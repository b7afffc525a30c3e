-- What is done, what failed and what is missing, per dataset and model.
-- One row per (dataset, model), for every dataset and model asked for.
-- params:
--   datasets   VARCHAR[]  names of datasets
--   models     VARCHAR[]  names of registered models
-- columns:
--   dataset    VARCHAR  dataset
--   model      VARCHAR  registered model
--   structures BIGINT   structures the dataset holds
--   done       BIGINT   structures with a prediction
--   failed     BIGINT   structures the model could not do
--   missing    BIGINT   structures with neither
--   latents    BIGINT   structures with latents
WITH
chosen AS (
    SELECT model, model_id FROM models WHERE LIST_CONTAINS($models, model)
),
expected AS (
    SELECT s.dataset, s.structure_id, c.model, c.model_id
    FROM structures AS s CROSS JOIN chosen AS c
    WHERE LIST_CONTAINS($datasets, s.dataset)
),
with_latents AS (
    SELECT DISTINCT dataset, structure_id, model_id FROM embeddings
)
SELECT
    e.dataset AS dataset,
    e.model AS model,
    COUNT(*) AS structures,
    COUNT(*) FILTER (p.status = 'ok') AS done,
    COUNT(*) FILTER (p.status = 'failed') AS failed,
    COUNT(*) FILTER (p.status IS NULL) AS missing,
    COUNT(w.structure_id) AS latents
FROM expected AS e
LEFT JOIN predictions AS p
    ON p.dataset = e.dataset AND p.structure_id = e.structure_id AND p.model_id = e.model_id
LEFT JOIN with_latents AS w
    ON w.dataset = e.dataset AND w.structure_id = e.structure_id AND w.model_id = e.model_id
GROUP BY e.dataset, e.model
ORDER BY e.dataset, e.model
