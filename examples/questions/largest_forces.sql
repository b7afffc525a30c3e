-- The ten structures that hold the largest forces: where a training set hides its accidents.
-- One row per structure, the largest first.
-- columns:
--   structure_id  BIGINT        the structure
--   formula       VARCHAR       chemical formula
--   config_type   VARCHAR       kind of configuration
--   generation    VARCHAR       generation it was made in, from the file's own key
--   largest_force DOUBLE [eV/Å] greatest force norm of its atoms
--   atom          INTEGER       index of the atom that has it, from 0
SELECT
    s.structure_id,
    s.formula,
    s.config_type,
    s.info ->> 'generation' AS generation,
    ROUND(LIST_MAX(l.norms), 3) AS largest_force,
    LIST_POSITION(l.norms, LIST_MAX(l.norms)) - 1 AS atom
FROM structures AS s
INNER JOIN (
    SELECT
        dataset,
        structure_id,
        LIST_TRANSFORM(
            LIST_ZIP(forces.x, forces.y, forces.z),
            LAMBDA f: SQRT(f[1] ** 2 + f[2] ** 2 + f[3] ** 2)
        ) AS norms
    FROM labels
    WHERE forces IS NOT NULL
) AS l USING (dataset, structure_id)
ORDER BY largest_force DESC, s.structure_id
LIMIT 10
