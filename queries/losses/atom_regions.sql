-- The regions of every atom, as one number of the bits in region_bits: an atom may be in several.
-- One row per structure_idx. Structures without both schemes have none.
-- params:
--   dataset       VARCHAR  dataset of the structures
--   two_regions   VARCHAR  scheme that tells defect from bulk
--   three_regions VARCHAR  scheme that tells core, shell and bulk apart
-- columns:
--   structure_idx INTEGER     number of the structure in the selection
--   membership    UTINYINT[]  bits of the regions of every atom
SELECT
    s.structure_idx,
    LIST_TRANSFORM(
        LIST_ZIP(
            COALESCE(two.region, LIST_RESIZE(CAST([] AS VARCHAR[]), s.n_atoms)),
            COALESCE(three.region, LIST_RESIZE(CAST([] AS VARCHAR[]), s.n_atoms))
        ),
        LAMBDA names: CAST(
            1
            + CASE names[1] WHEN 'defect' THEN 2 WHEN 'bulk' THEN 4 ELSE 0 END
            + CASE names[2]
                WHEN 'core' THEN 8
                WHEN 'shell' THEN 16
                WHEN 'bulk' THEN 32
                WHEN 'core+bulk' THEN 40
                ELSE 0
            END AS UTINYINT
        )
    ) AS membership
FROM selected_structures AS s
INNER JOIN regions AS two ON s.structure_id = two.structure_id
INNER JOIN regions AS three ON s.structure_id = three.structure_id
WHERE
    two.dataset = $dataset
    AND two.scheme = $two_regions
    AND three.dataset = $dataset
    AND three.scheme = $three_regions
ORDER BY s.structure_idx
