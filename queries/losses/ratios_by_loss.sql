-- How many times larger the error is near the defect, for every loss.
-- One row per (loss, scheme, ratio).
-- columns:
--   loss                 VARCHAR  loss the models share
--   scheme               VARCHAR  scheme of the regions
--   ratio                VARCHAR  defect/bulk, core/shell or core/bulk
--   n_structures         BIGINT   structures that have a ratio
--   n_seeds              BIGINT   models, each of another seed
--   n_rows               BIGINT   structures times seeds that have a ratio
--   mean_over_structures DOUBLE   mean over structures and seeds of the ratio of the mean norms
--   std_over_rows        DOUBLE   its sample deviation over structures and seeds
--   std_over_seeds       DOUBLE   sample deviation of the means of the seeds
--   of_pooled_errors     DOUBLE   ratio of the mean norms over all atoms and seeds
WITH ratios AS (
    SELECT
        e.loss,
        e.model,
        e.structure_idx,
        r.ratio,
        r.numerator,
        r.denominator,
        CASE r.ratio
            WHEN 'defect/bulk' THEN e.ratio
            WHEN 'core/shell' THEN e.core_shell_ratio
            WHEN 'core/bulk' THEN e.core_bulk_ratio
        END AS value
    FROM structure_errors AS e
    CROSS JOIN (
        VALUES
        ('defect/bulk', 'defect', 'bulk'),
        ('core/shell', 'core', 'shell'),
        ('core/bulk', 'core', 'outer')
    ) AS r (ratio, numerator, denominator)
),

pooled AS (
    SELECT
        loss,
        short,
        ANY_VALUE(scheme) AS scheme,
        SUM(sum_error) / NULLIF(SUM(n_atoms), 0) AS mae
    FROM region_errors
    GROUP BY loss, short
),

of_rows AS (
    SELECT
        loss,
        ratio,
        numerator,
        denominator,
        COUNT(DISTINCT structure_idx) FILTER (WHERE value IS NOT NULL) AS n_structures,
        COUNT(DISTINCT model) AS n_seeds,
        COUNT(value) AS n_rows,
        AVG(value) AS mean_over_structures,
        STDDEV_SAMP(value) AS std_over_rows
    FROM ratios
    GROUP BY loss, ratio, numerator, denominator
),

of_seeds AS (
    SELECT
        loss,
        ratio,
        STDDEV_SAMP(value) AS std_over_seeds
    FROM (
        SELECT
            loss,
            model,
            ratio,
            AVG(value) AS value
        FROM ratios
        GROUP BY loss, model, ratio
    )
    GROUP BY loss, ratio
)

SELECT
    r.loss,
    n.scheme,
    r.ratio,
    r.n_structures,
    r.n_seeds,
    r.n_rows,
    r.mean_over_structures,
    r.std_over_rows,
    s.std_over_seeds,
    n.mae / NULLIF(d.mae, 0) AS of_pooled_errors
FROM of_rows AS r
INNER JOIN of_seeds AS s ON r.loss = s.loss AND r.ratio = s.ratio
INNER JOIN pooled AS n ON r.loss = n.loss AND r.numerator = n.short
INNER JOIN pooled AS d ON r.loss = d.loss AND r.denominator = d.short
ORDER BY r.loss, n.scheme, r.ratio
