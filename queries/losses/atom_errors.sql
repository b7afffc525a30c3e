-- Force error of every model on every atom: the norm of predicted minus reference force.
-- One row per (model, structure_idx, atom). Atoms without reference, forces or regions have none.
-- params:
--   dataset   VARCHAR    dataset of the structures
--   label_set VARCHAR    whose forces are the reference
--   models    VARCHAR[]  names of the models
-- columns:
--   model         VARCHAR        model that predicted
--   structure_idx INTEGER        number of the structure in the selection
--   membership    UTINYINT       bits of the regions of the atom
--   error         DOUBLE [eV/Å]  norm of the error vector
SELECT
    model,
    structure_idx,
    membership,
    SQRT(dx * dx + dy * dy + dz * dz) AS error
FROM (
    SELECT
        m.model,
        s.structure_idx,
        UNNEST(r.membership) AS membership,
        UNNEST(p.forces.x) - UNNEST(l.forces.x) AS dx,
        UNNEST(p.forces.y) - UNNEST(l.forces.y) AS dy,
        UNNEST(p.forces.z) - UNNEST(l.forces.z) AS dz
    FROM selected_structures AS s
    INNER JOIN atom_regions AS r ON s.structure_idx = r.structure_idx
    INNER JOIN labels AS l ON s.structure_id = l.structure_id
    INNER JOIN predictions AS p ON s.structure_id = p.structure_id
    INNER JOIN selected_models AS m ON p.model = m.model AND p.model_id = m.model_id
    WHERE
        l.dataset = $dataset
        AND l.label_set = $label_set
        AND l.forces IS NOT NULL
        AND p.dataset = $dataset
        AND LIST_CONTAINS($models, p.model)
        AND p.status = 'ok'
        AND p.forces IS NOT NULL
)
