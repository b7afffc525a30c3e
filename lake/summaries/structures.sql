-- Structures of every dataset.
-- One row per dataset.
-- columns:
--   dataset      VARCHAR   name of the dataset
--   n_structures BIGINT    structures in it
--   n_atoms      BIGINT    atoms of all of them
SELECT
    dataset,
    COUNT(*) AS n_structures,
    CAST(SUM(n_atoms) AS BIGINT) AS n_atoms
FROM structures
GROUP BY dataset
ORDER BY dataset
