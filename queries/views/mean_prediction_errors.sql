-- Force error of the mean prediction of the models of a loss, region by region.
-- One row per (loss, structure_idx, short). Empty regions too.
-- columns:
--   loss          VARCHAR        loss the models share
--   structure_idx INTEGER        number of the structure in the selection
--   n_members     BIGINT         models averaged over
--   scheme        VARCHAR        scheme of the region; NULL for all atoms
--   region        VARCHAR        all, defect, bulk, core or shell
--   short         VARCHAR        name of the region among those of both schemes
--   n_atoms       BIGINT         atoms in the region
--   mae           DOUBLE [eV/Å]  mean over atoms of the norm of the error vector; NULL where empty
--   sum_error     DOUBLE [eV/Å]  sum over atoms of the norm of the error vector
SELECT
    e.loss,
    e.structure_idx,
    ANY_VALUE(e.n_members) AS n_members,
    b.scheme,
    b.region,
    b.short,
    CAST(COALESCE(SUM(e.n_atoms) FILTER (WHERE e.membership & b.bit <> 0), 0) AS BIGINT) AS n_atoms,
    SUM(e.sum_error) FILTER (WHERE e.membership & b.bit <> 0)
    / SUM(e.n_atoms) FILTER (WHERE e.membership & b.bit <> 0) AS mae,
    COALESCE(SUM(e.sum_error) FILTER (WHERE e.membership & b.bit <> 0), 0) AS sum_error
FROM mean_prediction_sums AS e
CROSS JOIN region_bits AS b
GROUP BY e.loss, e.structure_idx, b.scheme, b.region, b.short
