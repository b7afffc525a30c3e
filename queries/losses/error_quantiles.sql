-- Quantiles of the force error over the atoms of a region and the seeds of a loss.
-- One row per (loss, scheme, region). Regions without atoms have none.
-- columns:
--   loss    VARCHAR        loss the models share
--   scheme  VARCHAR        scheme of the region; NULL for all atoms
--   region  VARCHAR        all, defect, bulk, core or shell
--   n_atoms BIGINT         atoms times seeds
--   q01     DOUBLE [eV/Å]  norm of the error that 1 % are below, linear between two
--   q05     DOUBLE [eV/Å]  5 %
--   q25     DOUBLE [eV/Å]  25 %
--   q50     DOUBLE [eV/Å]  half
--   q75     DOUBLE [eV/Å]  75 %
--   q95     DOUBLE [eV/Å]  95 %
--   q99     DOUBLE [eV/Å]  99 %
SELECT
    loss,
    scheme,
    region,
    n_atoms,
    q[1] AS q01,
    q[2] AS q05,
    q[3] AS q25,
    q[4] AS q50,
    q[5] AS q75,
    q[6] AS q95,
    q[7] AS q99
FROM (
    SELECT
        m.loss,
        b.scheme,
        b.region,
        COUNT(*) AS n_atoms,
        QUANTILE_CONT(e.error, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) AS q
    FROM atom_errors AS e
    INNER JOIN selected_models AS m ON e.model = m.model
    INNER JOIN used_structures AS u ON e.structure_idx = u.structure_idx
    INNER JOIN region_bits AS b ON e.membership & b.bit <> 0
    GROUP BY m.loss, b.scheme, b.region
)
ORDER BY loss, scheme NULLS FIRST, region
