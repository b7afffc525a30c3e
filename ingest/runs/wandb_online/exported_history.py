"""The Parquet files in which a wandb server exports a history: a row per step, a column per key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ingest.frames.frames import Reject
from ingest.runs.history import EPOCH_KEY, History
from ingest.runs.logged_run import HISTORY
from ingest.runs.logged_values import NUMBER
from lake.errors import InvalidInputError

STEP, TIMESTAMP = "_step", "_timestamp"
_LATEST_S = 253_402_300_799.0  # the end of the year 9999
_EXACT_INTEGER = 2**53
_PLACE = ("step", EPOCH_KEY, "logged_at")


def read_exports(paths: Sequence[Path]) -> tuple[pl.DataFrame, Counter[str], list[Reject]]:
    """The columns `HISTORY`, values by kind, and rows without a step, of a run's export.

    A value that is NULL was not logged at its step, and is none.

    Raises
    ------
    InvalidInputError
        A file has no column ``_step``.
    """
    parts, rejects = [], []
    kinds: Counter[str] = Counter()
    for path in paths:
        frame = pl.read_parquet(path)
        if STEP not in frame.columns:
            raise InvalidInputError(
                f"{path.name}: there is no column {STEP}. Expected an export of a history. Update "
                "wandb."
            )
        placed = _placed(frame)
        is_lost = placed["step"].is_null()
        rejects += [
            Reject(row, 0, f"row {row} of {path.name} has no step, and was left out.")
            for row in is_lost.arg_true()
        ]
        for name in frame.columns:
            if name not in (STEP, TIMESTAMP):
                part, counts = _values(placed.filter(~is_lost), frame.filter(~is_lost)[name], name)
                parts.append(part)
                kinds += counts
    whole = pl.concat(parts) if parts else pl.DataFrame(schema=HISTORY)
    return whole.sort("step", maintain_order=True), kinds, rejects


def _placed(frame: pl.DataFrame) -> pl.DataFrame:
    """Step, epoch and moment of every row."""
    step = frame[STEP].cast(pl.Float64, strict=False)
    numbers = {"step": frame[STEP].cast(pl.Int64, strict=False)}
    numbers["step"] = pl.select(pl.when(step.round() == step).then(numbers["step"]).alias("step"))[
        "step"
    ]
    for name, key in ((EPOCH_KEY, EPOCH_KEY), ("seconds", TIMESTAMP)):
        is_there = key in frame.columns and frame[key].dtype.is_numeric()
        none = pl.Series(name, [None] * len(frame), dtype=pl.Float64)
        numbers[name] = frame[key].cast(pl.Float64).alias(name) if is_there else none
    seconds = pl.col("seconds")
    micros = pl.when(seconds.abs() <= _LATEST_S).then((seconds * 1e6).round())
    return pl.DataFrame(numbers).select(
        "step", EPOCH_KEY, logged_at=micros.cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
    )


def _values(placed: pl.DataFrame, values: pl.Series, key: str) -> tuple[pl.DataFrame, Counter[str]]:
    """One column as rows of a history."""
    is_there = values.is_not_null()
    placed, values = placed.filter(is_there), values.filter(is_there)
    is_exact = not values.dtype.is_integer() or bool((values.abs() <= _EXACT_INTEGER).all())
    if values.dtype.is_numeric() and is_exact:
        numbers = values.cast(pl.Float64)
        frame = placed.with_columns(
            key=pl.lit(key), value=numbers, other=pl.lit(None, pl.String), line=pl.lit(0, pl.Int64)
        )
        return frame.select(HISTORY.names()), Counter({NUMBER: len(frame)} if len(frame) else {})
    history = History()
    for row, value in zip(placed.iter_rows(), values, strict=True):
        step, epoch, logged_at = row
        history.add(step, _named(key, value), epoch=epoch, logged_at=logged_at)
    return history.frame(), history.kinds


def _named(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    plain = value.to_list() if isinstance(value, pl.Series) else value
    yield key, _without_missing(plain)


def _without_missing(value: Any) -> Any:
    """A value without the fields of other rows, which Parquet's structs hold as NULL."""
    if isinstance(value, dict):
        return {name: _without_missing(inner) for name, inner in value.items() if inner is not None}
    return value
