"""Models, their predictions and their latents."""

from __future__ import annotations

import pyarrow as pa

from schemas.structures import DATASET, N_ATOMS, STRUCTURE_ID
from schemas.table import Column, Table
from schemas.types import FLOATS, INTEGERS, STRINGS, TIMESTAMP, VECTORS, VOIGT

MODEL = Column("model", pa.string(), "Name of the model.", required=True)
MODEL_ID = Column(
    "model_id",
    pa.int64(),
    "First 64 bits of the model's sha256; with options, of the sha256 of both.",
    required=True,
)
JOB_ID = Column("job_id", pa.string(), "The compute job that wrote the row.")

MODELS = Table(
    name="models",
    doc="Trained networks and other calculators.",
    grain=("model_id",),
    sort_by=("model",),
    columns=(
        MODEL_ID,
        MODEL,
        Column("engine", pa.string(), "mace, nequip, allegro or ase.", required=True),
        Column("group", pa.string(), "What members of an ensemble share, e.g. the loss."),
        Column("seed", pa.int64(), "Random seed of the training."),
        Column("parent", pa.string(), "Model this one was fine-tuned from."),
        Column(
            "path",
            pa.string(),
            "Where the model file lies; of an ASE calculator, module:name or file:name.",
            required=True,
        ),
        Column(
            "sha256",
            pa.string(),
            "Checksum of the model file; of an ASE calculator, of its source file and name.",
            required=True,
        ),
        Column("options", pa.string(), "Settings the model is loaded with, as a JSON object."),
        Column(
            "environment",
            pa.string(),
            "Environment the model runs in; NULL for the one that runs atomlake.",
        ),
        Column("r_max", pa.float64(), "Cutoff radius.", "Å"),
        Column("dtype", pa.string(), "Floating-point type of the weights."),
        Column("elements", STRINGS, "Chemical symbols the model knows."),
        Column("n_parameters", pa.int64(), "Number of trainable parameters."),
        Column("layers", INTEGERS, "Width of the latent of each layer, first layer first."),
        Column("config", pa.string(), "Everything else known of the model, as a JSON object."),
        Column("run_id", pa.string(), "The training run the model came from, by its run_id."),
        Column("run_project", pa.string(), "Project of that run; NULL where it is not known."),
        Column("added_at", TIMESTAMP, "When the model was registered."),
    ),
)

PREDICTIONS = Table(
    name="predictions",
    doc="What a model says of a structure; a structure it could not do is a row with its reason.",
    grain=("dataset", "structure_id", "model_id"),
    partition=("dataset", "model"),
    sort_by=("structure_id",),
    columns=(
        DATASET,
        MODEL,
        STRUCTURE_ID,
        MODEL_ID,
        N_ATOMS,
        Column("energy", pa.float64(), "Predicted total energy.", "eV"),
        Column("forces", VECTORS, "Predicted force on every atom.", "eV/Å", per_atom=True),
        Column("stress", VOIGT, "Predicted stress, Voigt order, sign as in ASE.", "eV/Å³"),
        Column("status", pa.string(), "ok or failed.", required=True),
        Column("error", pa.string(), "Why it failed; NULL when ok."),
        Column("dtype", pa.string(), "Floating-point type computed in; NULL when made elsewhere."),
        JOB_ID,
    ),
)

EMBEDDINGS = Table(
    name="embeddings",
    doc="Where the per-atom latents of a structure lie: a run of rows in a Zarr store.",
    grain=("dataset", "structure_id", "model_id", "layer"),
    partition=("dataset", "model"),
    sort_by=("layer", "store", "offset"),
    columns=(
        DATASET,
        MODEL,
        STRUCTURE_ID,
        MODEL_ID,
        N_ATOMS,
        Column(
            "layer",
            pa.string(),
            "Which latent: last, or the index of an earlier layer, from 0.",
            required=True,
        ),
        Column("definition", pa.string(), "Engine, columns and pooling of the latent, as JSON."),
        Column("store", pa.string(), "Folder of the Zarr array, below the lake.", required=True),
        Column("offset", pa.int64(), "First row of the structure in the array.", required=True),
        Column("n_features", pa.int32(), "Width of the latent.", required=True),
        Column("dtype", pa.string(), "float32 or float16.", required=True),
        Column("mean", FLOATS, "Mean of the latent over the atoms. Length n_features."),
        JOB_ID,
    ),
)
