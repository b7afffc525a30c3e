-- What the numbers of every model rest on.
-- One row per model.
-- params:
--   dataset   VARCHAR    dataset of the structures
--   label_set VARCHAR    whose forces are the reference
--   models    VARCHAR[]  names of the models
-- columns:
--   model            VARCHAR  name of the model
--   loss             VARCHAR  its loss
--   seed             BIGINT   seed of its training
--   n_selected       BIGINT   structures selected
--   n_with_forces    BIGINT   of them, with reference forces
--   n_with_regions   BIGINT   of them, with the regions of both schemes
--   n_predicted      BIGINT   of them, predicted by the model
--   n_without_forces BIGINT   of those predicted and with reference and regions, without forces
--   n_failed         BIGINT   of those selected, tried by the model without result
--   n_missing        BIGINT   of those selected, never tried by the model
--   n_used           BIGINT   of those selected, compared: every model has them
SELECT
    m.model,
    m.loss,
    m.seed,
    COUNT(*) AS n_selected,
    COUNT(l.structure_id) AS n_with_forces,
    COUNT(r.structure_idx) AS n_with_regions,
    COUNT(*) FILTER (WHERE p.status = 'ok') AS n_predicted,
    COUNT(*) FILTER (
        WHERE
        p.status = 'ok'
        AND l.structure_id IS NOT NULL
        AND r.structure_idx IS NOT NULL
        AND e.structure_idx IS NULL
    ) AS n_without_forces,
    COUNT(*) FILTER (WHERE p.status = 'failed') AS n_failed,
    COUNT(*) FILTER (WHERE p.status IS NULL) AS n_missing,
    COUNT(u.structure_idx) AS n_used
FROM selected_models AS m
CROSS JOIN selected_structures AS s
LEFT JOIN (
    SELECT structure_id
    FROM labels
    WHERE dataset = $dataset AND label_set = $label_set AND forces IS NOT NULL
) AS l ON s.structure_id = l.structure_id
LEFT JOIN atom_regions AS r ON s.structure_idx = r.structure_idx
LEFT JOIN (
    SELECT
        model,
        model_id,
        structure_id,
        status
    FROM predictions
    WHERE dataset = $dataset AND LIST_CONTAINS($models, model)
) AS p ON m.model = p.model AND m.model_id = p.model_id AND s.structure_id = p.structure_id
LEFT JOIN (
    SELECT DISTINCT
        model,
        structure_idx
    FROM error_sums
) AS e ON m.model = e.model AND s.structure_idx = e.structure_idx
LEFT JOIN used_structures AS u ON s.structure_idx = u.structure_idx
GROUP BY m.model, m.loss, m.seed
ORDER BY m.loss, m.seed, m.model
