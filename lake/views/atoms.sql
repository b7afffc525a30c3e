-- Every atom of every structure.
-- One row per (dataset, structure_id, atom).
-- columns:
--   dataset      VARCHAR       dataset of the structure
--   structure_id BIGINT        structure the atom belongs to
--   config_type  VARCHAR       kind of configuration of the structure
--   atom         BIGINT        index of the atom in the structure, from 0
--   number       SMALLINT      atomic number
--   element      VARCHAR       chemical symbol
--   x            DOUBLE [Å]    Cartesian position
--   y            DOUBLE [Å]    Cartesian position
--   z            DOUBLE [Å]    Cartesian position
SELECT
    dataset,
    structure_id,
    config_type,
    atom,
    number,
    chemical_symbol(number) AS element,
    x,
    y,
    z
FROM (
    SELECT
        dataset,
        structure_id,
        config_type,
        UNNEST(RANGE(n_atoms)) AS atom,
        UNNEST(numbers) AS number,
        UNNEST(positions.x) AS x,
        UNNEST(positions.y) AS y,
        UNNEST(positions.z) AS z
    FROM structures
)
