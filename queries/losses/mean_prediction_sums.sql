-- Force errors of the mean prediction of the models of a loss, summed like error_sums.
-- One row per (loss, structure_idx, membership).
-- params:
--   dataset   VARCHAR    dataset of the structures
--   label_set VARCHAR    whose forces are the reference
--   models    VARCHAR[]  names of the models
-- columns:
--   loss          VARCHAR            loss the models share
--   structure_idx INTEGER            number of the structure in the selection
--   membership    UTINYINT           bits of the regions of the atoms
--   n_members     BIGINT             models averaged over
--   n_atoms       BIGINT             number of atoms
--   sum_error     DOUBLE [eV/Å]      sum of the norms of the error vectors
--   sum_squared   DOUBLE [(eV/Å)²]   sum of their squares
SELECT
    loss,
    structure_idx,
    membership,
    MIN(n_members) AS n_members,
    COUNT(*) AS n_atoms,
    SUM(SQRT(squared)) AS sum_error,
    SUM(squared) AS sum_squared
FROM (
    SELECT
        loss,
        structure_idx,
        membership,
        n_members,
        dx * dx + dy * dy + dz * dz AS squared
    FROM (
        -- The reference is the same for all members: the mean of the errors is that of the mean.
        SELECT
            loss,
            structure_idx,
            membership,
            COUNT(*) AS n_members,
            AVG(dx) AS dx,
            AVG(dy) AS dy,
            AVG(dz) AS dz
        FROM (
            SELECT
                m.loss,
                s.structure_idx,
                UNNEST(RANGE(s.n_atoms)) AS atom,
                UNNEST(r.membership) AS membership,
                UNNEST(p.forces.x) - UNNEST(l.forces.x) AS dx,
                UNNEST(p.forces.y) - UNNEST(l.forces.y) AS dy,
                UNNEST(p.forces.z) - UNNEST(l.forces.z) AS dz
            FROM selected_structures AS s
            INNER JOIN used_structures AS u ON s.structure_idx = u.structure_idx
            INNER JOIN atom_regions AS r ON s.structure_idx = r.structure_idx
            INNER JOIN labels AS l ON s.structure_id = l.structure_id
            INNER JOIN predictions AS p ON s.structure_id = p.structure_id
            INNER JOIN selected_models AS m ON p.model = m.model AND p.model_id = m.model_id
            WHERE
                l.dataset = $dataset
                AND l.label_set = $label_set
                AND p.dataset = $dataset
                AND LIST_CONTAINS($models, p.model)
                AND p.status = 'ok'
        )
        GROUP BY loss, structure_idx, atom, membership
    )
)
GROUP BY loss, structure_idx, membership
ORDER BY loss, structure_idx, membership
