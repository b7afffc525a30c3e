"""What is done, what failed and what is missing, per dataset and model."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from compute.models.catalogue import list_models, match_models
from lake.errors import NotFoundError
from lake.reader import Reader

if TYPE_CHECKING:
    import polars as pl


def coverage(
    reader: Reader, datasets: Sequence[str] = (), models: Sequence[str] = ()
) -> pl.DataFrame:
    """One row per dataset and registered model.

    Columns: dataset, model, structures, done, failed, missing, dtype, latents, latents_dtype;
    ``latents`` counts structures that have some, and done + failed + missing = structures.
    ``dtype`` and ``latents_dtype`` name types, with commas between where there are several.

    Parameters
    ----------
    datasets
        Names; all by default.
    models
        Names, or patterns such as ``mace-*``; all by default.

    Raises
    ------
    NotFoundError
        A name or pattern stands for nothing.
    """
    there = sorted({file.partition["dataset"] for file in reader.files("structures")})
    chosen = match_models(reader, models) if models else list_models(reader)
    parameters = {
        "datasets": known_datasets(reader, datasets) if datasets else there,
        "models": [model.name for model in chosen],
    }
    query = files("compute").joinpath("jobs", "coverage.sql").read_text("utf-8")
    rows: pl.DataFrame = reader.sql(query, parameters).pl()
    return rows


def known_datasets(reader: Reader, names: Sequence[str]) -> list[str]:
    """The names, each once.

    Raises
    ------
    NotFoundError
        The lake has no dataset of a name.
    """
    there = {file.partition["dataset"] for file in reader.files("structures")}
    for name in names:
        if name not in there:
            raise NotFoundError.among("dataset", name, there)
    return list(dict.fromkeys(names))
