-- Every structure with its labels, in every label set.
-- One row per (dataset, structure_id, label_set). Structures without labels have no rows.
-- columns:
--   dataset      VARCHAR        dataset of the structure
--   structure_id BIGINT         hash of the structure
--   label_set    VARCHAR        source of the labels
--   config_type  VARCHAR        kind of configuration of the structure
--   formula      VARCHAR        chemical formula in Hill order
--   n_atoms      INTEGER        number of atoms
--   numbers      SMALLINT[]     atomic number of every atom
--   positions    STRUCT [Å]     x, y and z, each a list over the atoms
--   cell         DOUBLE[] [Å]   the three cell vectors row by row, nine numbers
--   pbc          BOOLEAN[]      periodic along a, b and c
--   energy       DOUBLE [eV]    total energy; NULL where not given
--   forces       STRUCT [eV/Å]  x, y and z, each a list over the atoms; NULL where not given
--   stress       STRUCT [eV/Å³] xx, yy, zz, yz, xz and xy, sign as in ASE; NULL where not given
--   info         VARCHAR        every other key of the frame, as a JSON object
SELECT
    s.dataset,
    s.structure_id,
    l.label_set,
    s.config_type,
    s.formula,
    s.n_atoms,
    s.numbers,
    s.positions,
    s.cell,
    s.pbc,
    l.energy,
    l.forces,
    l.stress,
    s.info
FROM structures AS s
INNER JOIN labels AS l
    ON s.dataset = l.dataset AND s.structure_id = l.structure_id
