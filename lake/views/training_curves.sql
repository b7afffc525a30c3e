-- Training curves with a column per quantity, as NequIP and Allegro log them.
-- One row per (project, run_id, step). Steps at which none of them was logged have no rows. For
-- other keys, PIVOT training_history.
-- columns:
--   project     VARCHAR  project of the run
--   run_id      VARCHAR  the run
--   run_name    VARCHAR  its name; several runs may have the same
--   step        BIGINT   step the row was logged at, which wandb calls _step
--   epoch       DOUBLE   epoch at that step; NULL where not logged
--   trainer/global_step DOUBLE  steps of the optimizer until then
--   train_loss_step/weighted_sum DOUBLE  loss of a batch
--   val0_epoch/weighted_sum DOUBLE  weighted sum of the validation metrics
--   val0_epoch/forces_rmse DOUBLE  validation error of force components, unit of the run
--   val0_epoch/stress_rmse DOUBLE  validation error of the stress, unit of the run
--   val0_epoch/per_atom_energy_rmse DOUBLE  validation error of energies, unit of the run
SELECT
    h.project,
    h.run_id,
    r.name AS run_name,
    h.step,
    ANY_VALUE(h.epoch) AS epoch,
    ANY_VALUE(h.value) FILTER (WHERE h.key = 'trainer/global_step') AS "trainer/global_step",
    ANY_VALUE(h.value) FILTER (WHERE h.key = 'train_loss_step/weighted_sum')
        AS "train_loss_step/weighted_sum",
    ANY_VALUE(h.value) FILTER (WHERE h.key = 'val0_epoch/weighted_sum')
        AS "val0_epoch/weighted_sum",
    ANY_VALUE(h.value) FILTER (WHERE h.key = 'val0_epoch/forces_rmse')
        AS "val0_epoch/forces_rmse",
    ANY_VALUE(h.value) FILTER (WHERE h.key = 'val0_epoch/stress_rmse')
        AS "val0_epoch/stress_rmse",
    ANY_VALUE(h.value) FILTER (WHERE h.key = 'val0_epoch/per_atom_energy_rmse')
        AS "val0_epoch/per_atom_energy_rmse"
FROM training_history AS h
INNER JOIN runs AS r
    ON h.project = r.project AND h.run_id = r.run_id
WHERE
    h.key IN (
        'trainer/global_step',
        'train_loss_step/weighted_sum',
        'val0_epoch/weighted_sum',
        'val0_epoch/forces_rmse',
        'val0_epoch/stress_rmse',
        'val0_epoch/per_atom_energy_rmse'
    )
GROUP BY h.project, h.run_id, r.name, h.step
