"""The formats in which a result leaves the lake as a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lake.commands.json_text import json_text
from lake.errors import InvalidInputError, StorageError

if TYPE_CHECKING:
    import polars as pl


_EXACT_INTEGERS = 2**53  # cells are doubles
_LONGEST_CELL = 32_767


def write_csv(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """Write comma-separated values; lists and structs as JSON text."""
    _flat(frame).write_csv(file)


def write_json(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """Write a JSON array with one object per row; NaN and infinity become null."""
    file.write(f"{json_text(frame.to_dicts())}\n".encode())


def write_parquet(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """Write Parquet; types, lists and structs are kept."""
    frame.write_parquet(file)


def write_xlsx(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """Write an Excel workbook with one sheet; lists and structs as JSON text.

    Integers a double cannot hold, as ids are, become text.

    Raises
    ------
    InvalidInputError
        A text is longer than a cell of Excel can be.
    """
    import polars as pl

    flat = _flat(frame)
    wide = [
        name
        for name, kind in flat.schema.items()
        if kind.is_integer() and _most(flat, pl.col(name).cast(pl.Float64).abs()) > _EXACT_INTEGERS
    ]
    for name, kind in flat.schema.items():
        if kind == pl.String and _most(flat, pl.col(name).str.len_chars()) > _LONGEST_CELL:
            raise InvalidInputError(
                f"{name} has values of more than {_LONGEST_CELL:,} characters, which a cell of "
                "Excel cannot hold. Write Parquet, or leave the column out."
            )
    told_apart = dict(zip(flat.columns, _excel_names(flat.columns), strict=True))
    book = BytesIO()  # a zip archive cannot be left half written without noise
    flat.with_columns(pl.col(wide).cast(pl.String)).rename(told_apart).write_excel(
        book,
        worksheet="result",
        autofit=True,
        freeze_panes=(1, 0),
        dtype_formats={pl.Float64: "General", pl.Float32: "General"},  # else 1e-6 shows as 0.000
    )
    file.write(book.getvalue())


FORMATS: dict[str, Callable[[pl.DataFrame, IO[bytes]], None]] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
    "xlsx": write_xlsx,
}
BINARY = ("parquet", "xlsx")


def format_of(file: Path) -> str:
    """The format a file's name asks for.

    Raises
    ------
    InvalidInputError
        The name ends in none of them.
    """
    suffix = file.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        raise InvalidInputError(
            f"{file}: no format goes with this name. Expected it to end in "
            f"{', '.join('.' + name for name in FORMATS)}, or --format to say which."
        )
    return suffix


def write_result(frame: pl.DataFrame, name: str, file: Path | None) -> None:
    """Write a frame in the format called `name`, to standard output where there is no file.

    Raises
    ------
    InvalidInputError
        A binary format would go to a terminal.
    StorageError
        The file cannot be written.
    """
    write = FORMATS[name]
    if file is None:
        if name in BINARY and sys.stdout.isatty():
            raise InvalidInputError(f"{name} is not text. Name a file with -o, or redirect to one.")
        write(frame, sys.stdout.buffer)
        return
    try:
        with file.open("wb") as stream:
            write(frame, stream)
    except OSError as error:
        raise StorageError(f"{file}: cannot be written ({error.strerror or error}).") from error


def _excel_names(names: Sequence[str]) -> list[str]:
    """Names with a number where one differs from another only by case, which Excel cannot tell."""
    seen: set[str] = set()
    told_apart = []
    for name in names:
        tries = (name, *(f"{name} ({number})" for number in range(2, len(names) + 2)))
        told_apart.append(next(each for each in tries if each.lower() not in seen))
        seen.add(told_apart[-1].lower())
    return told_apart


def _most(frame: pl.DataFrame, values: pl.Expr) -> float:
    """The greatest of some values; 0 where there are none."""
    return float(frame.select(values.max()).item() or 0)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists and structs turned into JSON text, for formats that know only single values."""
    import polars as pl

    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    return frame.with_columns(
        pl.Series(
            name,
            [
                None if value is None else json_text(value, indent=False)
                for value in frame[name].to_list()
            ],
            pl.String,
        )
        for name in nested
    )
