-- How wrong the forces of each model are, by kind, on the generations it was not trained on.
-- One row per (model, config_type). Atoms of all structures of a kind are pooled.
-- columns:
--   loss          VARCHAR       loss the model was trained with, the group of the model
--   seed          BIGINT        random seed of the training
--   config_type   VARCHAR       kind of configuration
--   n_structures  BIGINT        structures counted, of generation 6 and later
--   n_atoms       BIGINT        atoms counted
--   force_mae_norm DOUBLE [eV/Å] mean over atoms of the norm of the error vector
--   force_rmse_component DOUBLE [eV/Å] root of the mean squared error of the components x, y and z
SELECT
    m.group AS loss,
    m.seed,
    s.config_type,
    COUNT(DISTINCT e.structure_id) AS n_structures,
    COUNT(*) AS n_atoms,
    ROUND(AVG(e.error_norm), 4) AS force_mae_norm,
    ROUND(SQRT(AVG(e.error_norm ** 2) / 3), 4) AS force_rmse_component
FROM force_errors AS e
INNER JOIN structures AS s USING (dataset, structure_id)
INNER JOIN models AS m USING (model)
WHERE CAST(s.info ->> 'generation' AS INTEGER) >= 6
GROUP BY m.group, m.seed, s.config_type
ORDER BY s.config_type, m.group, m.seed
