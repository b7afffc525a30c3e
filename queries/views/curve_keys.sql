-- What the trainers call the curves of a training run.
-- One row per (curve, pattern).
-- columns:
--   curve      VARCHAR  train_loss, validation_loss or validation_forces_rmse
--   preference INTEGER  of several keys of a run, the one with the lowest is taken
--   pattern    VARCHAR  regular expression the whole key must match
SELECT
    curve,
    CAST(preference AS INTEGER) AS preference,
    pattern
FROM (
    VALUES
    ('train_loss', 1, 'train_loss_step/weighted_sum'),
    ('train_loss', 2, 'train_loss_epoch/weighted_sum'),
    ('train_loss', 3, '(.*[./])?train_loss'),
    ('train_loss', 4, 'opt[./](.+[./])?loss'),
    ('validation_loss', 1, 'val0_epoch/weighted_sum'),
    ('validation_loss', 2, '(.*[./])?val(id)?_loss'),
    ('validation_loss', 3, 'eval[./](.+[./])?loss'),
    ('validation_forces_rmse', 1, 'val0_epoch/forces_rmse'),
    ('validation_forces_rmse', 2, '(.*[./])?valid_rmse_f'),
    ('validation_forces_rmse', 3, 'eval[./](.+[./])?rmse_f')
) AS keys (curve, preference, pattern)
