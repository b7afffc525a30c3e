-- Error of every model's force on every atom, against every label set.
-- One row per (dataset, structure_id, label_set, model, atom). Structures without reference forces,
-- and predictions that failed, have no rows.
-- columns:
--   dataset      VARCHAR       dataset of the structure
--   structure_id BIGINT        structure the atom belongs to
--   label_set    VARCHAR       source of the reference
--   model        VARCHAR       model that predicted
--   atom         BIGINT        index of the atom in the structure, from 0
--   dx           DOUBLE [eV/Å] predicted minus reference
--   dy           DOUBLE [eV/Å] predicted minus reference
--   dz           DOUBLE [eV/Å] predicted minus reference
--   error_norm   DOUBLE [eV/Å] norm of the error vector
SELECT
    dataset,
    structure_id,
    label_set,
    model,
    atom,
    dx,
    dy,
    dz,
    SQRT(dx * dx + dy * dy + dz * dz) AS error_norm
FROM (
    SELECT
        l.dataset,
        l.structure_id,
        l.label_set,
        p.model,
        UNNEST(RANGE(l.n_atoms)) AS atom,
        UNNEST(p.forces.x) - UNNEST(l.forces.x) AS dx,
        UNNEST(p.forces.y) - UNNEST(l.forces.y) AS dy,
        UNNEST(p.forces.z) - UNNEST(l.forces.z) AS dz
    FROM labels AS l
    INNER JOIN predictions AS p
        ON l.dataset = p.dataset AND l.structure_id = p.structure_id
    WHERE p.status = 'ok' AND l.forces IS NOT NULL AND p.forces IS NOT NULL
)
