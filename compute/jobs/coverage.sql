-- What is done, what failed and what is missing, per dataset and model.
-- One row per (dataset, model), for every dataset and model asked for.
-- params:
--   datasets   VARCHAR[]  names of datasets
--   models     VARCHAR[]  names of registered models
-- columns:
--   dataset       VARCHAR  dataset
--   model         VARCHAR  registered model
--   structures    BIGINT   structures the dataset holds
--   done          BIGINT   structures with a prediction
--   failed        BIGINT   structures the model could not do
--   missing       BIGINT   structures with neither
--   dtype         VARCHAR  types the predictions were computed in, NULL where none is known
--   latents       BIGINT   structures with latents
--   latents_dtype VARCHAR  types the latents are kept as, NULL where there are none
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
),
latent_types AS (
    SELECT dataset, model_id, STRING_AGG(DISTINCT dtype, ', ' ORDER BY dtype) AS dtypes
    FROM embeddings
    GROUP BY dataset, model_id
)
SELECT
    e.dataset AS dataset,
    e.model AS model,
    COUNT(*) AS structures,
    COUNT(*) FILTER (p.status = 'ok') AS done,
    COUNT(*) FILTER (p.status = 'failed') AS failed,
    COUNT(*) FILTER (p.status IS NULL) AS missing,
    STRING_AGG(DISTINCT p.dtype, ', ' ORDER BY p.dtype) FILTER (p.status = 'ok') AS dtype,
    COUNT(w.structure_id) AS latents,
    ANY_VALUE(t.dtypes) AS latents_dtype
FROM expected AS e
LEFT JOIN predictions AS p
    ON p.dataset = e.dataset AND p.structure_id = e.structure_id AND p.model_id = e.model_id
LEFT JOIN with_latents AS w
    ON w.dataset = e.dataset AND w.structure_id = e.structure_id AND w.model_id = e.model_id
LEFT JOIN latent_types AS t
    ON t.dataset = e.dataset AND t.model_id = e.model_id
GROUP BY e.dataset, e.model
ORDER BY e.dataset, e.model
