"""Structures and the reference values computed for them."""

from __future__ import annotations

import pyarrow as pa

from schemas.table import Column, Table
from schemas.types import ARRAYS, BOOLEANS, FLOATS, NUMBERS, STRINGS, VECTORS, VOIGT

DATASET = Column("dataset", pa.string(), "Name of the dataset.", required=True)
STRUCTURE_ID = Column(
    "structure_id",
    pa.int64(),
    "Hash of the whole frame but its labels: geometry, info and other arrays. Energies, forces, "
    "stresses and virials under their usual names are left out, whether they were read as labels "
    "or not.",
    required=True,
)
N_ATOMS = Column("n_atoms", pa.int32(), "Number of atoms.", required=True)

STRUCTURES = Table(
    name="structures",
    doc="Atomic structures as read, with every key and per-atom array of the source kept.",
    grain=("dataset", "structure_id"),
    partition=("dataset",),
    sort_by=("structure_id",),
    columns=(
        DATASET,
        STRUCTURE_ID,
        Column(
            "structure_check",
            pa.int64(),
            "Second half of the 128-bit hash whose first half is structure_id. Rows with one "
            "structure_id and two checks are a hash collision.",
            required=True,
        ),
        Column(
            "geometry_id",
            pa.int64(),
            "Hash of numbers, positions, cell and pbc: equal geometries share it, in any dataset.",
            required=True,
        ),
        Column(
            "geometry_check",
            pa.int64(),
            "Second half of the 128-bit hash whose first half is geometry_id.",
            required=True,
        ),
        N_ATOMS,
        Column("formula", pa.string(), "Chemical formula in Hill order.", required=True),
        Column(
            "elements", STRINGS, "Chemical symbols present, in alphabetical order.", required=True
        ),
        Column("numbers", NUMBERS, "Atomic number of every atom.", required=True, per_atom=True),
        Column("positions", VECTORS, "Cartesian position of every atom.", "Å", True, True),
        Column(
            "cell",
            FLOATS,
            "The three cell vectors row by row: ax, ay, az, bx, by, bz, cx, cy, cz. All zero where "
            "there is no cell.",
            "Å",
            required=True,
        ),
        Column("pbc", BOOLEANS, "Periodic along a, b and c.", required=True),
        Column("config_type", pa.string(), "Kind of configuration, from the key config_type."),
        Column(
            "info",
            pa.string(),
            "Every other key of the frame, as a JSON object. Numbers JSON cannot hold stand as "
            '{"$float": "nan"}.',
        ),
        Column(
            "arrays",
            ARRAYS,
            "Every other per-atom array: name, n_columns per atom, and its values row by row in "
            "the one list of its kind.",
        ),
        Column("source_id", pa.int64(), "The source the structure was first read from."),
        Column("frame", pa.int64(), "Index of the frame in that source, from 0."),
    ),
)

LABEL_SET = Column(
    "label_set", pa.string(), "Level of theory or source of the labels, e.g. dft.", required=True
)

LABELS = Table(
    name="labels",
    doc="Reference energies, forces and stresses: one row per structure and label set.",
    grain=("dataset", "structure_id", "label_set"),
    partition=("dataset", "label_set"),
    sort_by=("structure_id",),
    columns=(
        DATASET,
        LABEL_SET,
        STRUCTURE_ID,
        N_ATOMS,
        Column("energy", pa.float64(), "Total energy; NULL where not given.", "eV"),
        Column(
            "forces", VECTORS, "Force on every atom; NULL where not given.", "eV/Å", per_atom=True
        ),
        Column(
            "stress",
            VOIGT,
            "Stress in Voigt order, sign as in ASE (positive under tension); NULL where not given.",
            "eV/Å³",
        ),
        Column(
            "label_check",
            pa.int64(),
            "Hash of energy, forces and stress: tells a repeated frame from one with other labels.",
            required=True,
        ),
        Column("source_id", pa.int64(), "The source the labels were read from."),
        Column("frame", pa.int64(), "Index of the frame in that source, from 0."),
    ),
)
