-- Variance of the latents of structures, element by element.
-- One row per (structure_id, number).
-- columns:
--   structure_id BIGINT    hash of the structure
--   number       SMALLINT  atomic number
--   variance     DOUBLE    variance over members, summed over features: mean over its atoms
SELECT
    structure_id,
    number,
    AVG(variance) AS variance
FROM atom_variances
GROUP BY structure_id, number
ORDER BY structure_id, number
