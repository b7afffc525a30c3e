"""How much of every dataset a model has computed."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from lake.reader import Reader

if TYPE_CHECKING:
    import polars as pl


def model_coverage(reader: Reader, name: str) -> pl.DataFrame:
    """One row per dataset with results of the model called `name`.

    Its columns are dataset, n_structures, n_ok, n_failed, n_missing and n_latents.
    """
    query = files("compute").joinpath("models", "coverage.sql").read_text("utf-8")
    frame: pl.DataFrame = reader.sql(query, {"model": name}).pl()
    return frame
