-- Where the latents of the members lie.
-- One row per (dataset, structure_id, model_id).
-- params:
--   layer     VARCHAR   layer of the latents
--   model_ids BIGINT[]  the members
-- columns:
--   dataset      VARCHAR  dataset of the structure
--   structure_id BIGINT   hash of the structure
--   model_id     BIGINT   identity of the member
--   definition   VARCHAR  what the latents are, as JSON
--   n_features   INTEGER  width of the latents
--   dtype        VARCHAR  float32 or float16
--   store        VARCHAR  folder of the array, below the lake
--   offset       BIGINT   first row of the structure in the array
--   n_atoms      INTEGER  rows there
--   is_finite    BOOLEAN  whether all numbers are; NULL where it was not noted
SELECT
    e.dataset,
    e.structure_id,
    e.model_id,
    e.definition,
    e.n_features,
    e.dtype,
    e.store,
    e."offset",
    e.n_atoms,
    ISFINITE(LIST_SUM(e.mean)) AS is_finite
FROM embeddings AS e
INNER JOIN wanted_structures AS w ON e.dataset = w.dataset AND e.structure_id = w.structure_id
WHERE e.layer = $layer AND LIST_CONTAINS($model_ids, e.model_id)
ORDER BY e.dataset, e.model_id, e.store, e."offset"
