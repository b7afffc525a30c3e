-- How large the forces are on the atoms of each kind of structure, atoms pooled.
-- One row per (element, config_type).
-- columns:
--   element       VARCHAR       chemical symbol
--   config_type   VARCHAR       kind of configuration
--   n_atoms       BIGINT        atoms counted
--   median        DOUBLE [eV/Å] half of the atoms have a smaller force norm
--   p95           DOUBLE [eV/Å] 95 % of the atoms have a smaller force norm
--   largest       DOUBLE [eV/Å] greatest force norm
SELECT
    element,
    config_type,
    COUNT(*) AS n_atoms,
    ROUND(QUANTILE_CONT(force, 0.5), 3) AS median,
    ROUND(QUANTILE_CONT(force, 0.95), 3) AS p95,
    ROUND(MAX(force), 3) AS largest
FROM (
    SELECT
        a.element,
        a.config_type,
        SQRT(f.x ** 2 + f.y ** 2 + f.z ** 2) AS force
    FROM atoms AS a
    INNER JOIN atom_forces AS f USING (dataset, structure_id, atom)
)
GROUP BY element, config_type
ORDER BY element, config_type
