-- The structures compared, in the order of the files they came from.
-- One row per structure_idx.
-- params:
--   dataset      VARCHAR  dataset of the structures
--   two_regions  VARCHAR  scheme that tells defect from bulk
--   limit        BIGINT   take the first so many; NULL takes all
-- columns:
--   structure_idx INTEGER  number of the structure in the selection, from 0
--   structure_id  BIGINT   hash of the structure
--   source        VARCHAR  file the structure was first read from
--   frame         BIGINT   index of the frame in that file, from 0
--   formula       VARCHAR  chemical formula in Hill order
--   config_type   VARCHAR  kind of configuration
--   defect_kind   VARCHAR  kind of defect; NULL where the scheme was not computed or cannot say
--   n_atoms       INTEGER  number of atoms
SELECT
    CAST(place AS INTEGER) AS structure_idx,
    structure_id,
    source,
    frame,
    formula,
    config_type,
    defect_kind,
    n_atoms
FROM (
    SELECT
        ROW_NUMBER() OVER (
            ORDER BY q.read_at NULLS LAST, q.uri, s.frame NULLS LAST, s.structure_id
        ) - 1 AS place,
        s.structure_id,
        q.uri AS source,
        s.frame,
        s.formula,
        s.config_type,
        r.defect_kind,
        s.n_atoms
    FROM structures AS s
    INNER JOIN chosen_structures AS c ON s.structure_id = c.structure_id
    LEFT JOIN sources AS q ON s.dataset = q.dataset AND s.source_id = q.source_id
    LEFT JOIN regions AS r
        ON
            s.dataset = r.dataset
            AND s.structure_id = r.structure_id
            AND r.dataset = $dataset
            AND r.scheme = $two_regions
    WHERE s.dataset = $dataset
)
WHERE $limit IS NULL OR place < $limit
ORDER BY structure_idx
