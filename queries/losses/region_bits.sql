-- The bit of every region in the number that says which regions an atom is in.
-- One row per short.
-- params:
--   two_regions   VARCHAR  scheme that tells defect from bulk
--   three_regions VARCHAR  scheme that tells core, shell and bulk apart
-- columns:
--   scheme VARCHAR  scheme of the region; NULL for all atoms
--   region VARCHAR  all, defect, bulk, core or shell
--   short  VARCHAR  name of the region among those of both schemes: outer is the bulk of three
--   bit    INTEGER  power of two
SELECT
    scheme,
    region,
    short,
    CAST(bit AS INTEGER) AS bit
FROM (
    VALUES
    (NULL, 'all', 'all', 1),
    ($two_regions, 'defect', 'defect', 2),
    ($two_regions, 'bulk', 'bulk', 4),
    ($three_regions, 'core', 'core', 8),
    ($three_regions, 'shell', 'shell', 16),
    ($three_regions, 'bulk', 'outer', 32)
) AS bits (scheme, region, short, bit)
ORDER BY bit
