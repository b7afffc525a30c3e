"""Items of history rows as columns: most values are plain numbers, and are read all at once."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import polars as pl

from ingest.frames.frames import Reject
from ingest.runs.history import EPOCH_KEY
from ingest.runs.logged_run import HISTORY
from ingest.runs.logged_values import NUMBER, decode_json, logged_values
from ingest.runs.wandb_file.media import keyed_cells
from ingest.runs.wandb_file.run_content import HistoryCells

STEP, TIMESTAMP = "_step", "_timestamp"
_EXACT_DIGITS = 15  # a double holds every integer of so many
_NOT_FINITE = ["NaN", "Infinity", "-Infinity"]
_LATEST_S = 253_402_300_799.0  # the end of the year 9999
_DECODED = pl.Schema(
    {
        "item": pl.UInt32,
        "record": pl.Int64,
        "key": pl.String,
        "value": pl.Float64,
        "other": pl.String,
        "kind": pl.String,
    }
)


class HistoryColumns(NamedTuple):
    """The columns `HISTORY`, how many values there are of each kind, and the rows refused."""

    frame: pl.DataFrame
    kinds: Counter[str]
    rejects: list[Reject]


def history_columns(history: HistoryCells) -> HistoryColumns:
    """The values of all rows; a row whose step is not known, or that is not JSON, is refused.

    ``_step`` and ``_timestamp`` are no values of their own: they say where and when.
    """
    decoded, faults = _decoded(keyed_cells(history))
    rows = _rows(history.rows, decoded)
    if faults:
        said = pl.col("record").replace_strict(faults, default=None, return_dtype=pl.String)
        rows = rows.with_columns(fault=pl.coalesce(said, "fault"))
    refused = rows.filter(pl.col("fault").is_not_null())
    values = decoded.filter(~pl.col("key").is_in([STEP, TIMESTAMP])).join(
        rows.filter(pl.col("fault").is_null()), on="record", maintain_order="left"
    )
    kinds: Counter[str] = Counter()
    for kind, count in values["kind"].value_counts().iter_rows():
        kinds[kind or NUMBER] += count
    rejects = [
        Reject(record, 0, f"record {record}: {fault}. Its row was left out.")
        for record, fault in refused.select("record", "fault").iter_rows()
    ]
    frame = values.with_columns(line=pl.lit(0, pl.Int64)).select(HISTORY.names())
    return HistoryColumns(frame, kinds, rejects)


def _decoded(cells: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
    """The columns `_DECODED`, kind NULL for plain numbers, and what was no JSON, by record."""
    frame = cells.with_columns(_as_text(cells["text"])).with_row_index("item")
    frame = frame.with_columns(value=_plain_number())
    is_fast = pl.col("value").is_not_null()
    slow, faults = _slowly_decoded(frame.filter(~is_fast))
    fast = frame.filter(is_fast).select(
        "item",
        "record",
        "key",
        "value",
        other=pl.lit(None, pl.String),
        kind=pl.lit(None, pl.String),
    )
    if slow.is_empty():
        return fast, faults
    return pl.concat([fast, slow]).sort("item", maintain_order=True), faults


def _as_text(values: pl.Series) -> pl.Series:
    """Bytes as text, NULL where they are not UTF-8."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series(values.name, [_text_or_none(each) for each in values], dtype=pl.String)


def _text_or_none(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _plain_number() -> pl.Expr:
    """The number in ``text`` where that is plainly one, and a double holds it; else NULL."""
    text = pl.col("text")
    number = text.cast(pl.Float64, strict=False)
    is_exact = (text.str.len_bytes() <= _EXACT_DIGITS) | text.str.contains(".", literal=True)
    # Too large a number becomes infinity too, so infinity must be written out.
    is_written = number.is_finite() | text.is_in(_NOT_FINITE)
    return pl.when(is_exact & is_written).then(number)


def _slowly_decoded(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
    found: list[tuple[Any, ...]] = []
    faults: dict[int, str] = {}
    for item, record, key, text in frame.select("item", "record", "key", "text").iter_rows():
        try:
            if text is None:
                raise ValueError("it is not UTF-8")
            found += [(item, record, *each) for each in logged_values(key, decode_json(text))]
        except ValueError as error:
            faults[record] = f"the value of {key} is not JSON ({error})"
    return pl.DataFrame(found, schema=_DECODED, orient="row"), faults


def _rows(rows: pl.DataFrame, decoded: pl.DataFrame) -> pl.DataFrame:
    """One row per history row: record, step, epoch, logged_at and what is wrong with it."""
    for name, column in ((STEP, "said"), (TIMESTAMP, "seconds"), (EPOCH_KEY, "epoch")):
        of_key = decoded.filter(pl.col("key") == name).unique("record", keep="first")
        rows = rows.join(
            of_key.select("record", pl.col("value").alias(column)), on="record", how="left",
            maintain_order="left",
        )  # fmt: skip
    said, number, seconds = pl.col("said"), pl.col("number"), pl.col("seconds")
    is_whole = (said == said.round()) & (said.abs() < 2.0**53)
    whole = pl.when(is_whole).then(said).cast(pl.Int64, strict=False)
    fault = (
        pl.when(said.is_not_null() & ~is_whole.fill_null(value=False))
        .then(pl.lit("_step is no whole number"))
        .when(said.is_null() & number.is_null())
        .then(pl.lit("it has no step"))
        .when(whole != number)
        .then(pl.lit("_step and the number of the step differ"))
    )
    micros = pl.when(seconds.abs() <= _LATEST_S).then((seconds * 1e6).round())
    return rows.select(
        "record",
        "epoch",
        step=pl.coalesce(whole, number),
        logged_at=micros.cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC")),
        fault=fault,
    )
