-- Latents of every model.
-- One row per (dataset, model, layer, n_features, dtype).
-- columns:
--   dataset      VARCHAR   name of the dataset
--   model        VARCHAR   name of the model
--   layer        VARCHAR   which latent
--   n_features   INTEGER   width of the latent
--   dtype        VARCHAR   float32 or float16
--   n_structures BIGINT    structures that have it
SELECT
    dataset,
    model,
    layer,
    n_features,
    dtype,
    COUNT(*) AS n_structures
FROM embeddings
GROUP BY dataset, model, layer, n_features, dtype
ORDER BY dataset, model, layer, n_features, dtype
