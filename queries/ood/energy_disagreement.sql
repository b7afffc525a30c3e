-- How much the members disagree on the energy of structures.
-- Energies are put in order first: rows come in any, and each gives other last digits.
-- One row per (dataset, structure_id).
-- params:
--   model_ids BIGINT[]  the members
--   n_members INTEGER   how many they are
-- columns:
--   dataset             VARCHAR           dataset of the structure
--   structure_id        BIGINT            hash of the structure
--   energy_disagreement DOUBLE [eV/atom]  deviation (population) of the members' energies, by atoms
--   has_forces          BOOLEAN           whether every member predicted forces
SELECT
    p.dataset,
    p.structure_id,
    CASE
        WHEN COUNT(p.energy) = $n_members
            THEN LIST_STDDEV_POP(LIST(p.energy ORDER BY p.energy)) / ANY_VALUE(p.n_atoms)
    END AS energy_disagreement,
    COUNT(p.forces) = $n_members AS has_forces
FROM predictions AS p
INNER JOIN wanted_structures AS w ON p.dataset = w.dataset AND p.structure_id = w.structure_id
WHERE p.status = 'ok' AND LIST_CONTAINS($model_ids, p.model_id)
GROUP BY p.dataset, p.structure_id
ORDER BY p.dataset, p.structure_id
