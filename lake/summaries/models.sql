-- Registered models.
-- One row per model.
-- columns:
--   model        VARCHAR   name of the model
--   engine       VARCHAR   mace, nequip, allegro or ase
SELECT
    model,
    engine
FROM models
ORDER BY model, engine
