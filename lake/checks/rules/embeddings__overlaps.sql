-- latents of two structures lie in the same rows of an array
-- One row per pointer that begins inside the one before it.
-- columns:
--   place VARCHAR  where
SELECT store || ', row ' || "offset" AS place
FROM (
    SELECT
        store,
        "offset",
        LAG("offset" + n_atoms) OVER (PARTITION BY store ORDER BY "offset") AS end_before
    FROM embeddings
)
WHERE "offset" < end_before
ORDER BY place
