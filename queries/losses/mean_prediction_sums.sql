-- Force errors of the mean prediction of the models of a loss, summed like error_sums.
-- One row per (loss, structure_idx, membership).
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
            d.loss,
            d.structure_idx,
            d.membership,
            COUNT(*) AS n_members,
            AVG(d.dx) AS dx,
            AVG(d.dy) AS dy,
            AVG(d.dz) AS dz
        FROM force_differences AS d
        INNER JOIN used_structures AS u ON d.structure_idx = u.structure_idx
        GROUP BY d.loss, d.structure_idx, d.atom, d.membership
    )
)
GROUP BY loss, structure_idx, membership
ORDER BY loss, structure_idx, membership
