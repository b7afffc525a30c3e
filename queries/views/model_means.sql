-- Force errors of every model in two regions, averaged over structures as the original did.
-- One row per model.
-- columns:
--   model      VARCHAR        model that predicted
--   loss       VARCHAR        its loss
--   defect_mae DOUBLE [eV/Å]  mean of defect_mae over the structures that have the region
--   bulk_mae   DOUBLE [eV/Å]  mean of bulk_mae over the structures that have the region
--   ratio      DOUBLE         mean of ratio over the structures that have both
SELECT
    model,
    loss,
    AVG(defect_mae) AS defect_mae,
    AVG(bulk_mae) AS bulk_mae,
    AVG(ratio) AS ratio
FROM structure_errors
GROUP BY model, loss
