"""What is done, what failed and what is missing, per dataset and model."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import TYPE_CHECKING

from lake.errors import NotFoundError
from lake.reader import Reader

if TYPE_CHECKING:
    import polars as pl


def coverage(
    reader: Reader, datasets: Sequence[str] = (), models: Sequence[str] = ()
) -> pl.DataFrame:
    """One row per dataset and registered model.

    Columns: dataset, model, structures, done, failed, missing, latents; ``latents`` counts
    structures that have some, ``done + failed + missing = structures``.

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
    import polars as pl

    query = files("compute").joinpath("jobs", "coverage.sql").read_text("utf-8")
    rows: pl.DataFrame = reader.sql(query).pl()
    for column, patterns in (("dataset", datasets), ("model", models)):
        known = rows[column].unique().to_list()
        keep = set()
        for pattern in patterns:
            matches = {name for name in known if fnmatchcase(name, pattern)}
            if not matches:
                raise NotFoundError.among(column, pattern, known)
            keep |= matches
        if patterns:
            rows = rows.filter(pl.col(column).is_in(sorted(keep)))
    return rows
