-- The training run of every model: the one it was linked to, or else the one called like it.
-- One row per (model, project, run_id). A model is linked by its run_id and, where it says,
-- run_project; models without a run have no rows. Where n_runs is above 1 it is not clear which: link it with model edit --run.
-- columns:
--   model       VARCHAR  name of the model
--   model_id    BIGINT   identity of the model
--   project     VARCHAR  project of the run
--   run_id      VARCHAR  the run
--   run_name    VARCHAR  name of the run
--   linked_by   VARCHAR  run_id or name
--   n_runs      BIGINT   runs that may be meant, 1 where it is clear
SELECT
    m.model,
    m.model_id,
    r.project,
    r.run_id,
    r.name AS run_name,
    CASE WHEN m.run_id IS NULL THEN 'name' ELSE 'run_id' END AS linked_by,
    COUNT(*) OVER (PARTITION BY m.model_id) AS n_runs
FROM models AS m
INNER JOIN runs AS r
    ON
        CASE
            WHEN m.run_id IS NULL THEN r.name = m.model
            ELSE r.run_id = m.run_id AND r.project = COALESCE(m.run_project, r.project)
        END
