-- The training run of every model: the one it names, else the one of its name.
-- One row per model. Models without a run have none.
-- columns:
--   model        VARCHAR    name of the model
--   n_candidates BIGINT     runs that fit; with several, which one is not known
--   candidates   VARCHAR[]  project and identity of each of them
--   project      VARCHAR    project of the run; NULL unless one fits
--   run_id       VARCHAR    identity of the run; NULL unless one fits
--   run_name     VARCHAR    its display name; NULL unless one fits
--   state        VARCHAR    its state; NULL unless one fits
SELECT
    m.model,
    COUNT(*) AS n_candidates,
    LIST(r.project || '/' || r.run_id ORDER BY r.project, r.run_id) AS candidates,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.project) END AS project,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.run_id) END AS run_id,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.name) END AS run_name,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.state) END AS state
FROM selected_models AS s
INNER JOIN models AS m ON s.model_id = m.model_id AND s.model = m.model
INNER JOIN runs AS r
    ON
        (
            m.run_id IS NOT NULL
            AND r.run_id = m.run_id
            AND r.project = COALESCE(m.run_project, r.project)
        )
        OR (m.run_id IS NULL AND r.name = m.model)
GROUP BY m.model
ORDER BY m.model
