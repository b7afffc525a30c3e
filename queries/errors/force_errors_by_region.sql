-- Force error of every model in every region, pooled over the atoms of a dataset.
-- One row per (model, region). Atoms without a region, and structures without reference forces,
-- prediction or regions, count nowhere; an atom labelled core+bulk counts to both.
-- params:
--   dataset   VARCHAR               which structures
--   label_set VARCHAR               which reference
--   scheme    VARCHAR               which rule made the regions
-- columns:
--   model           VARCHAR         model that predicted
--   region          VARCHAR         region of the scheme
--   n_atoms         BIGINT          atoms averaged over
--   force_mae_norm  DOUBLE [eV/Å]   mean over atoms of the norm of the error vector
--   force_rmse_norm DOUBLE [eV/Å]   root of the mean over atoms of the squared norm
WITH vectors AS (
    SELECT
        p.model,
        UNNEST(r.region) AS label,
        UNNEST(p.forces.x) AS predicted_x,
        UNNEST(p.forces.y) AS predicted_y,
        UNNEST(p.forces.z) AS predicted_z,
        UNNEST(l.forces.x) AS reference_x,
        UNNEST(l.forces.y) AS reference_y,
        UNNEST(l.forces.z) AS reference_z
    FROM predictions AS p
    INNER JOIN labels AS l ON p.structure_id = l.structure_id
    INNER JOIN regions AS r ON p.structure_id = r.structure_id
    WHERE
        p.dataset = $dataset
        AND l.dataset = $dataset
        AND r.dataset = $dataset
        AND l.label_set = $label_set
        AND r.scheme = $scheme
        AND p.status = 'ok'
        AND p.forces IS NOT NULL
        AND l.forces IS NOT NULL
        AND r.region IS NOT NULL
),

squares AS (
    SELECT
        model,
        label,
        -- Multiplied out: with ** 2 the whole statement takes 1.4 times as long.
        (predicted_x - reference_x) * (predicted_x - reference_x)
        + (predicted_y - reference_y) * (predicted_y - reference_y)
        + (predicted_z - reference_z) * (predicted_z - reference_z) AS squared
    FROM vectors
),

sums AS (
    SELECT
        model,
        UNNEST(STRING_SPLIT(label, '+')) AS region,
        n_atoms,
        sum_of_norms,
        sum_of_squares
    FROM (
        SELECT
            model,
            label,
            COUNT(*) AS n_atoms,
            SUM(SQRT(squared)) AS sum_of_norms,
            SUM(squared) AS sum_of_squares
        FROM squares
        GROUP BY model, label
    )
)

SELECT
    model,
    region,
    SUM(n_atoms)::BIGINT AS n_atoms,
    SUM(sum_of_norms) / SUM(n_atoms) AS force_mae_norm,
    SQRT(SUM(sum_of_squares) / SUM(n_atoms)) AS force_rmse_norm
FROM sums
GROUP BY model, region
ORDER BY model, region
