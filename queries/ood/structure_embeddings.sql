-- Latents of a structure, averaged over its atoms, by every member of the ensemble.
-- One row per (dataset, structure_id).
-- params:
--   layer     VARCHAR   layer of the latents
--   model_ids BIGINT[]  the members
-- columns:
--   dataset      VARCHAR   name of the dataset
--   structure_id BIGINT    hash of the structure
--   means        DOUBLE[][]  mean latent by member, in order of model_id
SELECT
    e.dataset,
    e.structure_id,
    LIST(e.mean ORDER BY e.model_id) AS means
FROM embeddings AS e
INNER JOIN wanted_structures AS c
    ON e.dataset = c.dataset AND e.structure_id = c.structure_id
WHERE e.layer = $layer AND LIST_CONTAINS($model_ids, e.model_id)
GROUP BY e.dataset, e.structure_id
ORDER BY e.dataset, e.structure_id
