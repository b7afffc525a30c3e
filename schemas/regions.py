"""Region labels of atoms: near a defect, or far from it."""

from __future__ import annotations

import pyarrow as pa

from schemas.structures import DATASET, N_ATOMS, STRUCTURE_ID
from schemas.table import Column, Table
from schemas.types import FLOATS, STRINGS

REGIONS = Table(
    name="regions",
    doc="Region of every atom of a structure, under a named scheme.",
    grain=("dataset", "structure_id", "scheme"),
    partition=("dataset", "scheme"),
    sort_by=("structure_id",),
    columns=(
        DATASET,
        Column("scheme", pa.string(), "The rule that made the regions.", required=True),
        STRUCTURE_ID,
        N_ATOMS,
        Column("region", STRINGS, "Region of every atom; NULL where it has none.", per_atom=True),
        Column("distance", FLOATS, "Distance of every atom to the defect.", "Å", per_atom=True),
        Column("centre", FLOATS, "Cartesian centre of the defect: x, y, z.", "Å"),
        Column("defect_kind", pa.string(), "none, vacancy, interstitial, antisite or complex."),
        Column("parameters", pa.string(), "Parameters of the scheme, as a JSON object."),
        Column("scheme_version", pa.string(), "Version of the scheme's code.", required=True),
    ),
)
