-- Latents of a structure, averaged over its atoms and over the members of the ensemble.
-- One row per (dataset, structure_id).
-- params:
--   layer     VARCHAR   layer of the latents
--   model_ids BIGINT[]  the members
-- columns:
--   dataset      VARCHAR   name of the dataset
--   structure_id BIGINT    hash of the structure
--   embedding    DOUBLE[]  mean latent
SELECT
    dataset,
    structure_id,
    LIST(feature ORDER BY place) AS embedding
FROM (
    SELECT
        dataset,
        structure_id,
        place,
        AVG(feature) AS feature
    FROM (
        SELECT
            e.dataset,
            e.structure_id,
            UNNEST(e.mean) AS feature,
            UNNEST(RANGE(LEN(e.mean))) AS place
        FROM embeddings AS e
        INNER JOIN wanted_structures AS c
            ON e.dataset = c.dataset AND e.structure_id = c.structure_id
        WHERE e.layer = $layer AND LIST_CONTAINS($model_ids, e.model_id)
    )
    GROUP BY dataset, structure_id, place
)
GROUP BY dataset, structure_id
ORDER BY dataset, structure_id
