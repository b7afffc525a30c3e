-- Reference force on every atom, in every label set that has forces.
-- One row per (dataset, structure_id, label_set, atom).
-- columns:
--   dataset      VARCHAR       dataset of the structure
--   structure_id BIGINT        structure the atom belongs to
--   label_set    VARCHAR       source of the labels
--   atom         BIGINT        index of the atom in the structure, from 0
--   x            DOUBLE [eV/Å] component of the force
--   y            DOUBLE [eV/Å] component of the force
--   z            DOUBLE [eV/Å] component of the force
SELECT
    dataset,
    structure_id,
    label_set,
    UNNEST(RANGE(n_atoms)) AS atom,
    UNNEST(forces.x) AS x,
    UNNEST(forces.y) AS y,
    UNNEST(forces.z) AS z
FROM labels
WHERE forces IS NOT NULL
