-- Sums of the force errors of the atoms that share their regions.
-- One row per (model, structure_idx, membership).
-- columns:
--   model         VARCHAR            model that predicted
--   structure_idx INTEGER            number of the structure in the selection
--   membership    UTINYINT           bits of the regions of the atoms
--   n_atoms       BIGINT             number of atoms
--   sum_error     DOUBLE [eV/Å]      sum of the norms of the error vectors
--   sum_squared   DOUBLE [(eV/Å)²]   sum of their squares
SELECT
    model,
    structure_idx,
    membership,
    COUNT(*) AS n_atoms,
    SUM(error) AS sum_error,
    SUM(error * error) AS sum_squared
FROM atom_errors
GROUP BY model, structure_idx, membership
ORDER BY model, structure_idx, membership
