-- What a model has done of every dataset it has touched.
-- One row per dataset.
-- params:
--   model         VARCHAR   name of the model
-- columns:
--   dataset       VARCHAR   name of the dataset
--   n_structures  BIGINT    structures in the dataset
--   n_ok          BIGINT    structures with a prediction
--   n_failed      BIGINT    structures it could not do
--   n_missing     BIGINT    structures without a row
--   n_latents     BIGINT    structures with latents of any layer
WITH
    done AS (
        SELECT
            dataset,
            COUNT(*) FILTER (WHERE status = 'ok') AS n_ok,
            COUNT(*) FILTER (WHERE status <> 'ok') AS n_failed
        FROM predictions
        WHERE model = $model
        GROUP BY dataset
    ),
    latent AS (
        SELECT
            dataset,
            COUNT(DISTINCT structure_id) AS n_latents
        FROM embeddings
        WHERE model = $model
        GROUP BY dataset
    ),
    touched AS (
        SELECT dataset FROM done
        UNION
        SELECT dataset FROM latent
    ),
    there AS (
        SELECT
            dataset,
            COUNT(*) AS n_structures
        FROM structures
        WHERE dataset IN (SELECT t.dataset FROM touched AS t)
        GROUP BY dataset
    )
SELECT
    t.dataset AS dataset,
    COALESCE(s.n_structures, 0) AS n_structures,
    COALESCE(d.n_ok, 0) AS n_ok,
    COALESCE(d.n_failed, 0) AS n_failed,
    COALESCE(s.n_structures, 0) - COALESCE(d.n_ok, 0) - COALESCE(d.n_failed, 0) AS n_missing,
    COALESCE(l.n_latents, 0) AS n_latents
FROM touched AS t
LEFT JOIN there AS s ON t.dataset = s.dataset
LEFT JOIN done AS d ON t.dataset = d.dataset
LEFT JOIN latent AS l ON t.dataset = l.dataset
ORDER BY t.dataset
