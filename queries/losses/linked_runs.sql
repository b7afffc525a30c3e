-- The training run of every model, where it is clear which that is.
-- One row per model. Models without a run have none.
-- columns:
--   model        VARCHAR    name of the model
--   n_candidates BIGINT     runs that may be meant; of several none is taken
--   candidates   VARCHAR[]  project and identity of each of them
--   project      VARCHAR    project of the run; NULL where it is not clear
--   run_id       VARCHAR    identity of the run; NULL where it is not clear
--   run_name     VARCHAR    its display name; NULL where it is not clear
--   state        VARCHAR    its state; NULL where it is not clear
SELECT
    m.model,
    COUNT(*) AS n_candidates,
    LIST(r.project || '/' || r.run_id ORDER BY r.project, r.run_id) AS candidates,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.project) END AS project,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.run_id) END AS run_id,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.name) END AS run_name,
    CASE COUNT(*) WHEN 1 THEN ANY_VALUE(r.state) END AS state
FROM selected_models AS m
INNER JOIN model_runs AS l ON m.model_id = l.model_id
INNER JOIN runs AS r ON l.project = r.project AND l.run_id = r.run_id
GROUP BY m.model
ORDER BY m.model
