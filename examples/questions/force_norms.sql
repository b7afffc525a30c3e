-- The norm of the force on every atom, for the figure.
-- One row per (structure, atom).
-- columns:
--   element       VARCHAR       chemical symbol
--   config_type   VARCHAR       kind of configuration
--   structure_id  BIGINT        structure the atom belongs to
--   force         DOUBLE [eV/Å] norm of the force
SELECT
    a.element,
    a.config_type,
    structure_id,
    SQRT(f.x ** 2 + f.y ** 2 + f.z ** 2) AS force
FROM atoms AS a
INNER JOIN atom_forces AS f USING (dataset, structure_id, atom)
ORDER BY a.element, a.config_type, structure_id, atom
