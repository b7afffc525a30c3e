"""Scores of structures by the disagreement of an ensemble."""

from __future__ import annotations

import pyarrow as pa

from schemas.structures import DATASET, N_ATOMS, STRUCTURE_ID
from schemas.table import Column, Table
from schemas.types import INTEGERS, STRINGS

OOD_SCORES = Table(
    name="ood_scores",
    doc="How far structures are out of distribution, as an ensemble of models says.",
    grain=("dataset", "structure_id", "saved_as"),
    partition=("dataset", "saved_as"),
    sort_by=("structure_id",),
    columns=(
        DATASET,
        Column("saved_as", pa.string(), "Name the scores were saved under.", required=True),
        STRUCTURE_ID,
        N_ATOMS,
        Column(
            "latent_variance_trace",
            pa.float64(),
            "Variance of the latents over the members, summed over features: mean over atoms.",
            required=True,
        ),
        Column(
            "latent_variance_mean",
            pa.float64(),
            "The same divided by the number of features.",
            required=True,
        ),
        Column("latent_variance_trace_max", pa.float64(), "Greatest of an atom.", required=True),
        Column(
            "latent_variance_trace_p95", pa.float64(), "95th percentile over atoms.", required=True
        ),
        Column(
            "energy_disagreement",
            pa.float64(),
            "Deviation (population) of the members' energies, by atoms; NULL where not predicted.",
            "eV/atom",
        ),
        Column(
            "force_disagreement",
            pa.float64(),
            "Deviation (population) of the members' force vectors, mean over atoms; NULL where "
            "not predicted.",
            "eV/Å",
        ),
        Column("ensemble", pa.string(), "What the members are called together.", required=True),
        Column("members", STRINGS, "Names of the models, in order.", required=True),
        Column("model_ids", INTEGERS, "Their model_id, in the same order.", required=True),
        Column("layer", pa.string(), "Layer of the latents.", required=True),
        Column("definition", pa.string(), "What the latents are, as JSON."),
        Column("n_features", pa.int32(), "Width of the latents.", required=True),
        Column(
            "lake_version", pa.int64(), "Version of the lake they were made from.", required=True
        ),
    ),
)
