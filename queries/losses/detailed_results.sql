-- Force error of every model on every structure, in two regions, as the original gave it.
-- One row per (model, structure_idx).
-- columns:
--   model         VARCHAR        model that predicted
--   structure_idx INTEGER        number of the structure in the selection, from 0
--   formula       VARCHAR        chemical formula in Hill order
--   config_type   VARCHAR        kind of configuration
--   defect_type   VARCHAR        kind of defect
--   n_atoms       BIGINT         number of atoms
--   n_defect      BIGINT         of them, near the defect
--   n_bulk        BIGINT         of them, far from it
--   defect_mae    DOUBLE [eV/Å]  mean over defect atoms of the norm of the error vector
--   bulk_mae      DOUBLE [eV/Å]  the same over bulk atoms
--   all_mae       DOUBLE [eV/Å]  the same over all atoms
--   defect_rmse   DOUBLE [eV/Å]  root of the mean over defect atoms of the squared norm
--   bulk_rmse     DOUBLE [eV/Å]  the same over bulk atoms
--   all_rmse      DOUBLE [eV/Å]  the same over all atoms
--   ratio         DOUBLE         defect_mae over bulk_mae; NULL where bulk is empty or 0
SELECT
    e.model,
    e.structure_idx,
    s.formula,
    s.config_type,
    s.defect_kind AS defect_type,
    e.n_atoms,
    e.n_defect,
    e.n_bulk,
    e.defect_mae,
    e.bulk_mae,
    e.all_mae,
    e.defect_rmse,
    e.bulk_rmse,
    e.all_rmse,
    e.ratio
FROM structure_errors AS e
INNER JOIN selected_structures AS s ON e.structure_idx = s.structure_idx
ORDER BY e.model, e.structure_idx
