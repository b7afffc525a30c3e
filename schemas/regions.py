"""Region labels of atoms: near a defect, or far from it."""

from __future__ import annotations

import pyarrow as pa

from schemas.structures import DATASET, N_ATOMS, STRUCTURE_ID
from schemas.table import Column, Table
from schemas.types import FLOATS, STRINGS, VECTORS

REGIONS = Table(
    name="regions",
    doc="Region of every atom of a structure, under a named scheme.",
    grain=("dataset", "structure_id", "scheme"),
    partition=("dataset", "scheme"),
    sort_by=("structure_id",),
    columns=(
        DATASET,
        Column(
            "scheme",
            pa.string(),
            "The rule that made the regions, e.g. legacy-2, legacy-3, sites-2, sites-3: the "
            "number says how many regions it tells apart.",
            required=True,
        ),
        STRUCTURE_ID,
        N_ATOMS,
        Column(
            "region",
            STRINGS,
            "Region of every atom: defect or bulk of schemes with two; core, shell, bulk or "
            "core+bulk (which counts to both) of schemes with three. NULL where it has none.",
            per_atom=True,
        ),
        Column(
            "distance",
            FLOATS,
            "Distance of every atom to the nearest defect; NULL where there is no defect.",
            "Å",
            per_atom=True,
        ),
        Column(
            "centre",
            FLOATS,
            "Cartesian centre of the first defect: x, y, z. NULL where there is none.",
            "Å",
        ),
        Column(
            "defect_kind",
            pa.string(),
            "none, vacancy, interstitial, antisite, or complex where there are several kinds. Of "
            "legacy, what the structure is taken to hold. NULL where reason is given.",
        ),
        Column("n_defects", pa.int32(), "Number of defects."),
        Column("centres", VECTORS, "Cartesian centre of every defect, the first one first.", "Å"),
        Column("kinds", STRINGS, "What every defect is; NULL where the scheme does not tell."),
        Column(
            "reason",
            pa.string(),
            "Why the scheme does not apply to the structure; region is NULL then.",
        ),
        Column("parameters", pa.string(), "Parameters of the scheme, as a JSON object."),
        Column(
            "details",
            pa.string(),
            "What the scheme found in the structure, such as first_shell_radius [Å], as a JSON "
            "object.",
        ),
        Column("scheme_version", pa.string(), "Version of the scheme's code.", required=True),
    ),
)
