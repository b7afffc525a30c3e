-- How many atoms have how large an error, over the seeds of a loss: 20 bins a decade.
-- One row per (loss, scheme, region, low). Bins without atoms have none.
-- columns:
--   loss    VARCHAR        loss the models share
--   scheme  VARCHAR        scheme of the region; NULL for all atoms
--   region  VARCHAR        all, defect, bulk, core or shell
--   low     DOUBLE [eV/Å]  least norm of the error in the bin; 0 for everything below 1e-6
--   high    DOUBLE [eV/Å]  norm from which on the next bin counts
--   n_atoms BIGINT         atoms times seeds in the bin
SELECT
    h.loss,
    b.scheme,
    b.region,
    CASE WHEN h.bin < -120 THEN 0 ELSE POW(10, h.bin / 20.0) END AS low,
    POW(10, (h.bin + 1) / 20.0) AS high,
    CAST(SUM(h.n_atoms) AS BIGINT) AS n_atoms
FROM (
    SELECT
        m.loss,
        e.membership,
        CASE
            WHEN e.error < 1e-6 THEN -121
            ELSE CAST(FLOOR(20 * LOG10(e.error)) AS INTEGER)
        END AS bin,
        COUNT(*) AS n_atoms
    FROM atom_errors AS e
    INNER JOIN selected_models AS m ON e.model = m.model
    INNER JOIN used_structures AS u ON e.structure_idx = u.structure_idx
    GROUP BY m.loss, e.membership, bin
) AS h
INNER JOIN region_bits AS b ON h.membership & b.bit <> 0
GROUP BY h.loss, b.scheme, b.region, h.bin
ORDER BY h.loss, b.scheme NULLS FIRST, b.region, low
