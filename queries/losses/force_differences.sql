-- Difference of the force of every model on every atom: predicted minus reference.
-- One row per (model, structure_idx, atom). Atoms without reference, forces or regions have none.
-- params:
--   dataset   VARCHAR    dataset of the structures
--   label_set VARCHAR    whose forces are the reference
--   models    VARCHAR[]  names of the models
-- columns:
--   loss          VARCHAR        loss of the model
--   model         VARCHAR        model that predicted
--   structure_idx INTEGER        number of the structure in the selection
--   atom          BIGINT         index of the atom in the structure, from 0
--   membership    UTINYINT       bits of the regions of the atom
--   dx            DOUBLE [eV/Å]  predicted minus reference
--   dy            DOUBLE [eV/Å]  predicted minus reference
--   dz            DOUBLE [eV/Å]  predicted minus reference
SELECT
    m.loss,
    m.model,
    s.structure_idx,
    UNNEST(RANGE(s.n_atoms)) AS atom,
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
