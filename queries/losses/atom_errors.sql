-- Force error of every model on every atom: the norm of predicted minus reference force.
-- One row per (model, structure_idx, atom). Atoms without reference, forces or regions have none.
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
FROM force_differences
