"""Curves of the training runs of a made-up comparison of losses."""

from __future__ import annotations

import numpy as np
import polars as pl

TRAINING_SCHEMA = {
    "loss": pl.String,
    "seed": pl.Int64,
    "model": pl.String,
    "project": pl.String,
    "run_id": pl.String,
    "run_name": pl.String,
    "step": pl.Int64,
    "epoch": pl.Float64,
    "curve": pl.String,
    "key": pl.String,
    "value": pl.Float64,
}


def training_of(models: pl.DataFrame, n_epochs: int, random: np.random.Generator) -> pl.DataFrame:
    keys = {
        "train_loss": "train_loss_step/weighted_sum",
        "validation_loss": "val0_epoch/weighted_sum",
        "validation_forces_rmse": "val0_epoch/forces_rmse",
    }
    losses = models["loss"].unique(maintain_order=True).to_list()
    frames = []
    for model in models.iter_rows(named=True):
        number = losses.index(model["loss"])
        for curve, key in keys.items():
            a_step = 5 if curve == "train_loss" else 1
            n = n_epochs * a_step
            decay = np.exp(-5 * np.arange(n) / n)
            noise = random.lognormal(0, 0.15 if a_step == 5 else 0.06, n)
            frames.append(
                pl.DataFrame(
                    {
                        "loss": model["loss"],
                        "seed": model["seed"],
                        "model": model["model"],
                        "project": model["project"],
                        "run_id": model["run_id"],
                        "run_name": model["model"],
                        "step": np.arange(n) * (5 // a_step),
                        "epoch": (np.arange(n) // a_step).astype(float),
                        "curve": curve,
                        "key": key,
                        "value": (0.02 * (1 + 0.4 * number) + decay) * noise,
                    },
                    schema=TRAINING_SCHEMA,
                )
            )
    return pl.concat(frames) if frames else pl.DataFrame(schema=TRAINING_SCHEMA)


def last_losses(training: pl.DataFrame) -> pl.DataFrame:
    validation = training.filter(curve="validation_loss")
    runs = validation.group_by(
        "run_name", "project", "run_id", "loss", "seed", "model", maintain_order=True
    ).agg(
        pl.lit("finished").alias("state"),
        pl.last("epoch").alias("last_epoch"),
        pl.last("value").alias("last_validation_loss"),
        pl.min("value").alias("best_validation_loss"),
    )
    return runs.with_columns(
        pl.std("last_validation_loss").over("loss").alias("last_validation_std_over_seeds"),
        pl.len().over("loss").alias("n_seeds"),
    )
