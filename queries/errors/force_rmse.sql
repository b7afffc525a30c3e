-- Force error of every model over all atoms of a dataset.
-- One row per model. Structures without reference forces or prediction count nowhere.
-- params:
--   dataset   VARCHAR                   which structures
--   label_set VARCHAR                   which reference
-- columns:
--   model                VARCHAR        model that predicted
--   n_structures         BIGINT         structures averaged over
--   n_atoms              BIGINT         atoms averaged over
--   force_rmse_component DOUBLE [eV/Å]  root of the mean over atoms and components of the squared error
WITH squares AS (
    SELECT
        p.model,
        p.n_atoms,
        -- The distance of two lists needs no row per atom.
        LIST_DISTANCE(p.forces.x, l.forces.x) ** 2
        + LIST_DISTANCE(p.forces.y, l.forces.y) ** 2
        + LIST_DISTANCE(p.forces.z, l.forces.z) ** 2 AS squared
    FROM predictions AS p
    INNER JOIN labels AS l ON p.structure_id = l.structure_id
    WHERE
        p.dataset = $dataset
        AND l.dataset = $dataset
        AND l.label_set = $label_set
        AND p.status = 'ok'
        AND p.forces IS NOT NULL
        AND l.forces IS NOT NULL
)

SELECT
    model,
    COUNT(*) AS n_structures,
    SUM(n_atoms)::BIGINT AS n_atoms,
    SQRT(SUM(squared) / (3 * SUM(n_atoms))) AS force_rmse_component
FROM squares
GROUP BY model
ORDER BY model
