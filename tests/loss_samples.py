"""Made-up comparisons of losses, with numbers as real ones have them.

Each table is worked out from the rows per model and structure, so that they agree with each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from loss_curves import training_of
from loss_distributions import N_ATOMS
from loss_tables import tables_of

from queries.losses.result import LossComparison
from queries.losses.selection import Selection

SIX = ("MSE", "RMCE", "RMQE", "RMSE", "StratHuber", "TailHuber")
TWO = ("MSE", "TailHuber")
LEVELS = {"defect": 0.062, "bulk": 0.018, "core": 0.071, "shell": 0.034, "outer": 0.017}  # eV/Å


def comparison(
    losses: Sequence[str] = SIX,
    n_seeds: int = 3,
    n_structures: int = 50,
    *,
    has_bulk: bool = True,
    has_training: bool = True,
    n_epochs: int = 40,
    where: str | None = "config_type LIKE 'vac%' AND n_atoms > 100",
    warnings: tuple[str, ...] = (),
) -> LossComparison:
    """A comparison of so many losses; without bulk, its region is empty in every structure."""
    random = np.random.default_rng(7)
    models = _models(losses, n_seeds, has_training)
    rows = _rows(models, n_structures, has_bulk, random)
    training = training_of(models if has_training else models.clear(), n_epochs, random)
    tables = tables_of(rows, models, training, n_structures, n_seeds)
    return LossComparison(
        question="Which loss trains the better potential for defects, without losing the bulk?",
        selection=Selection(dataset="w-defects", label_set="dft", where=where, limit=n_structures),
        lake_path="lakes/demo",
        lake_version=17,
        tables=tables,
        statements={name: _statement(name) for name in ("detailed_results", "ensemble_summary")},
        models=models,
        training=training,
        warnings=warnings,
    )


def _statement(name: str) -> str:
    return f"-- dataset = 'w-defects'\nSELECT *\nFROM {name}\nWHERE n_atoms < 5\nORDER BY ALL;\n"


def _models(losses: Sequence[str], n_seeds: int, has_runs: bool) -> pl.DataFrame:
    rows = [
        {
            "model": f"mace-{loss}-s{seed}",
            "loss": loss,
            "seed": seed,
            "engine": "mace",
            "parent": None,
            "model_id": number * 1000 + seed,
            "sha256": hashlib.sha256(f"{loss}{seed}".encode()).hexdigest(),
            "dtype": "float64",
            "project": "team/defects" if has_runs else None,
            "run_id": f"r{number}{seed}" if has_runs else None,
        }
        for number, loss in enumerate(losses)
        for seed in range(n_seeds)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _rows(
    models: pl.DataFrame, n_structures: int, has_bulk: bool, random: np.random.Generator
) -> pl.DataFrame:
    """One row per model and structure, both divisions of its atoms beside each other."""
    losses = models["loss"].unique(maintain_order=True).to_list()
    hardness = random.lognormal(0.0, 0.35, n_structures)
    frames = []
    for model in models.iter_rows(named=True):
        number = losses.index(model["loss"])
        of_seed = random.normal(1.0, 0.04)
        columns: dict[str, Any] = {
            region: level
            * (1 - 0.05 * number)
            * of_seed
            * hardness
            * random.lognormal(0.0, 0.12, n_structures)
            for region, level in LEVELS.items()
        }
        columns["bulk"] = columns["bulk"] * (1 + 0.09 * number) if has_bulk else None
        frames.append(
            pl.DataFrame(
                {
                    "model": model["model"],
                    "loss": model["loss"],
                    "seed": model["seed"],
                    "structure_idx": np.arange(n_structures),
                    "formula": "W249",
                    "config_type": "vac_md",
                    "n_atoms": 249,
                    **columns,
                },
                schema_overrides=dict.fromkeys(LEVELS, pl.Float64),
            )
        )
    share = N_ATOMS["core"] / 249, N_ATOMS["shell"] / 249, N_ATOMS["outer"] / 249
    return pl.concat(frames).with_columns(
        all=share[0] * pl.col("core") + share[1] * pl.col("shell") + share[2] * pl.col("outer"),
        ratio=pl.col("defect") / pl.col("bulk"),
    )
