-- Force error of every model on every structure, in three regions, as the original gave it.
-- One row per (model, structure_idx).
-- columns:
--   model            VARCHAR        model that predicted
--   structure_idx    INTEGER        number of the structure in the selection, from 0
--   formula          VARCHAR        chemical formula in Hill order
--   n_atoms          BIGINT         number of atoms
--   n_core           BIGINT         of them, in the core of the defect
--   n_shell          BIGINT         of them, around the core
--   n_bulk           BIGINT         of them, far from the defect
--   core_mae         DOUBLE [eV/Å]  mean over core atoms of the norm of the error vector
--   shell_mae        DOUBLE [eV/Å]  the same over shell atoms
--   bulk_mae         DOUBLE [eV/Å]  the same over bulk atoms
--   all_mae          DOUBLE [eV/Å]  the same over all atoms
--   core_shell_ratio DOUBLE         core_mae over shell_mae; NULL where shell is empty or 0
--   core_bulk_ratio  DOUBLE         core_mae over bulk_mae; NULL where bulk is empty or 0
SELECT
    e.model,
    e.structure_idx,
    s.formula,
    e.n_atoms,
    e.n_core,
    e.n_shell,
    e.n_outer AS n_bulk,
    e.core_mae,
    e.shell_mae,
    e.outer_mae AS bulk_mae,
    e.all_mae,
    e.core_shell_ratio,
    e.core_bulk_ratio
FROM structure_errors AS e
INNER JOIN selected_structures AS s ON e.structure_idx = s.structure_idx
ORDER BY e.model, e.structure_idx
