-- Force error of every model on every structure compared, region by region.
-- One row per (model, structure_idx, short). Empty regions too.
-- columns:
--   model         VARCHAR            model that predicted
--   loss          VARCHAR            its loss
--   seed          BIGINT             seed of its training
--   structure_idx INTEGER            number of the structure in the selection
--   scheme        VARCHAR            scheme of the region; NULL for all atoms
--   region        VARCHAR            all, defect, bulk, core or shell
--   short         VARCHAR            name of the region among those of both schemes
--   n_atoms       BIGINT             atoms in the region
--   mae           DOUBLE [eV/Å]      mean over atoms of the norm of the error; NULL if empty
--   rmse          DOUBLE [eV/Å]      root of the mean square of the norm; NULL where empty
--   sum_error     DOUBLE [eV/Å]      sum over atoms of the norm of the error vector
--   sum_squared   DOUBLE [(eV/Å)²]   sum over atoms of its square
SELECT
    model,
    loss,
    seed,
    structure_idx,
    scheme,
    region,
    short,
    n_atoms,
    sum_error / NULLIF(n_atoms, 0) AS mae,
    SQRT(sum_squared / NULLIF(n_atoms, 0)) AS rmse,
    sum_error,
    sum_squared
FROM (
    SELECT
        m.model,
        m.loss,
        m.seed,
        e.structure_idx,
        b.scheme,
        b.region,
        b.short,
        CAST(COALESCE(SUM(e.n_atoms) FILTER (WHERE e.membership & b.bit <> 0), 0) AS BIGINT)
            AS n_atoms,
        COALESCE(SUM(e.sum_error) FILTER (WHERE e.membership & b.bit <> 0), 0) AS sum_error,
        COALESCE(SUM(e.sum_squared) FILTER (WHERE e.membership & b.bit <> 0), 0) AS sum_squared
    FROM error_sums AS e
    INNER JOIN selected_models AS m ON e.model = m.model
    INNER JOIN used_structures AS u ON e.structure_idx = u.structure_idx
    CROSS JOIN region_bits AS b
    GROUP BY m.model, m.loss, m.seed, e.structure_idx, b.scheme, b.region, b.short
)
