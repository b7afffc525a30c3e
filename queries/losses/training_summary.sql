-- How every training run ended, and the spread over the seeds of its loss.
-- One row per (project, run_id).
-- columns:
--   run_name                        VARCHAR  display name of the run
--   project                         VARCHAR  project of the run
--   run_id                          VARCHAR  identity of the run
--   state                           VARCHAR  finished, running, crashed or another
--   loss                            VARCHAR  loss of the model that came of it
--   seed                            BIGINT   seed of the training
--   model                           VARCHAR  the model that came of it
--   last_epoch                      DOUBLE   last epoch logged
--   last_validation_loss            DOUBLE   validation loss logged last
--   best_validation_loss            DOUBLE   least validation loss
--   best_epoch                      DOUBLE   epoch of the least, the first of several; NULL before any
--   last_train_loss                 DOUBLE   train loss logged last
--   n_seeds                         BIGINT   runs of this loss with a validation loss
--   last_validation_std_over_seeds  DOUBLE   sample deviation of their last validation losses
--   best_validation_std_over_seeds  DOUBLE   sample deviation of their least validation losses
SELECT
    run_name,
    project,
    run_id,
    state,
    loss,
    seed,
    model,
    last_epoch,
    last_validation_loss,
    best_validation_loss,
    best_epoch,
    last_train_loss,
    COUNT(last_validation_loss) OVER (PARTITION BY loss) AS n_seeds,
    STDDEV_SAMP(last_validation_loss) OVER (PARTITION BY loss) AS last_validation_std_over_seeds,
    STDDEV_SAMP(best_validation_loss) OVER (PARTITION BY loss) AS best_validation_std_over_seeds
FROM (
    SELECT
        r.run_name,
        r.project,
        r.run_id,
        r.state,
        m.loss,
        m.seed,
        m.model,
        MAX(c.epoch) AS last_epoch,
        ARG_MAX(c.value, c.step) FILTER (WHERE c.curve = 'validation_loss') AS last_validation_loss,
        MIN(c.value) FILTER (WHERE c.curve = 'validation_loss') AS best_validation_loss,
        -- Its NULL is kept: the best may be what was logged before any epoch.
        ARG_MIN_NULL(c.epoch, (c.value, c.step)) FILTER (WHERE c.curve = 'validation_loss')
            AS best_epoch,
        ARG_MAX(c.value, c.step) FILTER (WHERE c.curve = 'train_loss') AS last_train_loss
    FROM linked_runs AS r
    INNER JOIN selected_models AS m ON r.model = m.model
    LEFT JOIN loss_curves AS c
        ON r.model = c.model AND r.project = c.project AND r.run_id = c.run_id
    WHERE r.run_id IS NOT NULL
    GROUP BY r.run_name, r.project, r.run_id, r.state, m.loss, m.seed, m.model
)
ORDER BY loss, seed, model
