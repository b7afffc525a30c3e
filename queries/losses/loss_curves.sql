-- Training curves of the models compared.
-- One row per (model, curve, step).
-- columns:
--   loss     VARCHAR  loss of the model
--   seed     BIGINT   seed of the training
--   model    VARCHAR  the model that came of the run
--   project  VARCHAR  project of the run
--   run_id   VARCHAR  identity of the run
--   run_name VARCHAR  its display name
--   step     BIGINT   step at which the number was logged
--   epoch    DOUBLE   epoch at that step, or at the last step before that gave one
--   curve    VARCHAR  train_loss, validation_loss or validation_forces_rmse
--   key      VARCHAR  what the run called it
--   value    DOUBLE   the number; its unit is the run's own
WITH history AS (
    SELECT
        r.model,
        r.project,
        r.run_id,
        r.run_name,
        h.step,
        h.epoch,
        h.key,
        h.value
    FROM linked_runs AS r
    INNER JOIN training_history AS h ON r.project = h.project AND r.run_id = h.run_id
),

epochs AS (
    SELECT
        project,
        run_id,
        step,
        LAST_VALUE(MAX(epoch) IGNORE NULLS) OVER (
            PARTITION BY project, run_id ORDER BY step
        ) AS epoch
    FROM history
    GROUP BY project, run_id, step
),

chosen_keys AS (
    SELECT
        f.project,
        f.run_id,
        k.curve,
        ARG_MIN(f.key, (k.preference, f.key)) AS key
    FROM (
        SELECT DISTINCT
            project,
            run_id,
            key
        FROM history
    ) AS f
    INNER JOIN curve_keys AS k ON REGEXP_FULL_MATCH(f.key, k.pattern)
    GROUP BY f.project, f.run_id, k.curve
)

SELECT
    m.loss,
    m.seed,
    m.model,
    h.project,
    h.run_id,
    h.run_name,
    h.step,
    e.epoch,
    c.curve,
    h.key,
    h.value
FROM history AS h
INNER JOIN selected_models AS m ON h.model = m.model
INNER JOIN chosen_keys AS c ON h.project = c.project AND h.run_id = c.run_id AND h.key = c.key
INNER JOIN epochs AS e ON h.project = e.project AND h.run_id = e.run_id AND h.step = e.step
WHERE h.value IS NOT NULL
ORDER BY m.loss, m.seed, m.model, c.curve, h.step
