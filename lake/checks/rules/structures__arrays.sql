-- a per-atom array, the cell or pbc has another length than it must have
-- One row per structure.
-- columns:
--   place VARCHAR  where
SELECT dataset || ', structure ' || structure_id AS place
FROM structures
WHERE
    LEN(cell) <> 9
    OR LEN(pbc) <> 3
    OR LEN(
        LIST_FILTER(
            arrays,
            lambda a: COALESCE(LEN(a.floats), 0) + COALESCE(LEN(a.integers), 0)
            + COALESCE(LEN(a.strings), 0) + COALESCE(LEN(a.booleans), 0)
            <> n_atoms * a.n_columns
        )
    ) > 0
ORDER BY place
