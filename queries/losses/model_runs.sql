-- The training run of every model: the one it names, else the one called like the model.
-- One row per model. Models without a run have none.
-- columns:
--   model        VARCHAR    name of the model
--   n_candidates BIGINT     runs that fit, by identity before name; of several none is taken
--   candidates   VARCHAR[]  project and identity of each of them
--   project      VARCHAR    project of the run; NULL unless one fits
--   run_id       VARCHAR    identity of the run; NULL unless one fits
--   run_name     VARCHAR    its display name; NULL unless one fits
--   state        VARCHAR    its state; NULL unless one fits
SELECT
    model,
    COUNT(*) AS n_candidates,
    LIST(project || '/' || run_id ORDER BY project, run_id) AS candidates,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(project) END AS project,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(run_id) END AS run_id,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(run_name) END AS run_name,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(state) END AS state
FROM (
    SELECT
        m.model,
        r.project,
        r.run_id,
        r.name AS run_name,
        r.state
    FROM selected_models AS s
    INNER JOIN models AS m ON s.model = m.model AND s.model_id = m.model_id
    INNER JOIN runs AS r
        ON
            (m.run_project IS NULL OR m.run_project = r.project)
            AND COALESCE(m.run_id, m.model) IN (
                r.run_id, r.project || '/' || r.run_id, r.name, r.project || '/' || r.name
            )
    QUALIFY RANK() OVER (
        PARTITION BY m.model
        ORDER BY COALESCE(m.run_id, m.model) NOT IN (r.run_id, r.project || '/' || r.run_id)
    ) = 1
)
GROUP BY model
ORDER BY model
