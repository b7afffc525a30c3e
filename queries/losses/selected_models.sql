-- The models compared.
-- One row per model.
-- params:
--   models VARCHAR[]  their names
-- columns:
--   model    VARCHAR     name of the model
--   loss     VARCHAR     its loss: the group of the model
--   seed     BIGINT      seed of its training
--   engine   VARCHAR     mace, nequip, allegro or ase
--   parent   VARCHAR     model it was fine-tuned from
--   model_id BIGINT      identity of the model
--   sha256   VARCHAR     checksum of the model file
--   dtype    VARCHAR     floating-point type of the weights
--   r_max    DOUBLE [Å]  cutoff radius; NULL where it is not known
SELECT
    model,
    "group" AS loss,
    seed,
    engine,
    parent,
    model_id,
    sha256,
    dtype,
    r_max
FROM models
WHERE LIST_CONTAINS($models, model)
ORDER BY loss, seed, model
