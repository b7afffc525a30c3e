-- The rules that made the regions of the structures compared.
-- One row per (scheme, scheme_version, parameters).
-- params:
--   dataset       VARCHAR  dataset of the structures
--   two_regions   VARCHAR  scheme that tells defect from bulk
--   three_regions VARCHAR  scheme that tells core, shell and bulk apart
-- columns:
--   scheme            VARCHAR  name of the scheme
--   scheme_version    VARCHAR  version of its code
--   parameters        VARCHAR  its parameters, as a JSON object
--   n_structures      BIGINT   structures compared whose regions it made
--   n_without_regions BIGINT   of them, those it could not say anything of
SELECT
    r.scheme,
    r.scheme_version,
    r.parameters,
    COUNT(*) AS n_structures,
    COUNT(*) FILTER (WHERE r.region IS NULL) AS n_without_regions
FROM regions AS r
INNER JOIN selected_structures AS s ON r.structure_id = s.structure_id
INNER JOIN used_structures AS u ON s.structure_idx = u.structure_idx
WHERE r.dataset = $dataset AND r.scheme IN ($two_regions, $three_regions)
GROUP BY r.scheme, r.scheme_version, r.parameters
ORDER BY r.scheme, r.scheme_version, r.parameters
