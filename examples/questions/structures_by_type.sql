-- How many structures and atoms there are of each kind.
-- One row per (element, config_type).
-- columns:
--   element       VARCHAR      chemical symbol
--   config_type   VARCHAR      kind of configuration
--   structures    BIGINT       structures of the kind
--   atoms         HUGEINT      atoms in them
--   least_atoms   INTEGER      atoms in the smallest
--   most_atoms    INTEGER      atoms in the largest
SELECT
    elements[1] AS element,
    config_type,
    COUNT(*) AS structures,
    SUM(n_atoms) AS atoms,
    MIN(n_atoms) AS least_atoms,
    MAX(n_atoms) AS most_atoms
FROM structures
GROUP BY element, config_type
ORDER BY element, config_type
