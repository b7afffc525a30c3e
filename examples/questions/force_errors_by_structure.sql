-- How wrong the forces of each model are on each structure it was not trained on, for the figure.
-- One row per (model, structure_id).
-- columns:
--   loss          VARCHAR       loss the model was trained with, the group of the model
--   seed          BIGINT        random seed of the training
--   config_type   VARCHAR       kind of configuration
--   structure_id  BIGINT        the structure, of generation 6 or later
--   n_atoms       BIGINT        atoms of the structure
--   force_mae_norm DOUBLE [eV/Å] mean over its atoms of the norm of the error vector
SELECT
    m.group AS loss,
    m.seed,
    s.config_type,
    e.structure_id,
    COUNT(*) AS n_atoms,
    AVG(e.error_norm) AS force_mae_norm
FROM force_errors AS e
INNER JOIN structures AS s USING (dataset, structure_id)
INNER JOIN models AS m USING (model)
WHERE CAST(s.info ->> 'generation' AS INTEGER) >= 6
GROUP BY m.group, m.seed, s.config_type, e.structure_id
ORDER BY s.config_type, m.group, m.seed, e.structure_id
