-- What is known of the structures of the sets.
-- One row per (set, dataset, structure_id).
-- columns:
--   set          VARCHAR  name of the set
--   dataset      VARCHAR  dataset of the structure
--   structure_id BIGINT   hash of the structure
--   is_candidate BOOLEAN  whether structures are chosen from the set
--   source       VARCHAR  file the structure was first read from
--   frame        BIGINT   index of the frame in that file, from 0
--   config_type  VARCHAR  kind of configuration
--   formula      VARCHAR  chemical formula in Hill order
--   n_atoms      INTEGER  number of atoms
--   info         VARCHAR  every other key of the frame, as JSON
SELECT
    c."set",
    c.dataset,
    c.structure_id,
    c.is_candidate,
    q.uri AS source,
    s.frame,
    s.config_type,
    s.formula,
    s.n_atoms,
    s.info
FROM set_structures AS c
INNER JOIN structures AS s ON c.dataset = s.dataset AND c.structure_id = s.structure_id
LEFT JOIN sources AS q ON s.dataset = q.dataset AND s.source_id = q.source_id
ORDER BY c.place, q.read_at NULLS LAST, q.uri, s.frame NULLS LAST, c.structure_id
