"""What of the values read is new to the lake, what is there, and what stands against it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ingest.runs.logged_run import HISTORY
from lake.reader import Reader

PLACE = ("run_id", "step", "key")
NEW, DUPLICATE, CONFLICT = "new", "duplicate", "conflict"


def known_history(reader: Reader, project: str, run_ids: Sequence[str]) -> pl.DataFrame:
    """The values the lake has of some runs: run_id, step, key, value, other."""
    return (
        reader.scan("training_history", project=project)
        .filter(pl.col("run_id").is_in(list(run_ids)))
        .select(*PLACE, "value", "other")
        .collect()
    )


def sort_out(read: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The values read, with the columns ``status`` and, of a conflict, ``there``: what stands.

    A run logs one value under one key at one step. The same again is a duplicate, also within what
    was read; another value is a conflict, because nothing says which one counts.

    Examples
    --------
    >>> read = pl.DataFrame({"run_id": ["a"] * 3, "step": [0, 1, 1], "key": ["k"] * 3,
    ...     "value": [1.0, float("nan"), 3.0], "other": pl.Series([None] * 3, dtype=pl.String)})
    >>> sort_out(read, read.head(1))["status"].to_list()
    ['duplicate', 'new', 'conflict']
    """
    is_first = pl.struct(*PLACE).is_first_distinct()
    first = read.filter(is_first).select(*PLACE, "value", "other")
    stands = pl.concat([known, first]).unique(PLACE, keep="first", maintain_order=True)
    there = known.select(*PLACE, is_known=pl.lit(value=True)).unique(PLACE)
    sorted_out = (
        read.with_columns(is_first=is_first)
        .join(stands, on=PLACE, how="left", suffix="_there", maintain_order="left")
        .join(there, on=PLACE, how="left", maintain_order="left")
    )
    # To polars NaN is equal to itself, and so it is here.
    is_same = pl.col("value").eq_missing(pl.col("value_there")) & pl.col("other").eq_missing(
        pl.col("other_there")
    )
    status = (
        pl.when(pl.col("is_first") & pl.col("is_known").is_null())
        .then(pl.lit(NEW))
        .when(is_same)
        .then(pl.lit(DUPLICATE))
        .otherwise(pl.lit(CONFLICT))
    )
    return sorted_out.with_columns(
        status=status,
        there=pl.coalesce(pl.col("other_there"), pl.col("value_there").cast(pl.String)),
    ).drop("is_first", "is_known", "value_there", "other_there")


def history_of(run_id: str, source: int, history: pl.DataFrame, first_frame: int) -> pl.DataFrame:
    """A history with its run, the index of its source, and the index of each value in it."""
    return history.select(
        pl.lit(run_id).alias("run_id"),
        pl.lit(source, pl.Int64).alias("source"),
        (pl.int_range(pl.len()) + first_frame).alias("frame"),
        *HISTORY.names(),
    )
