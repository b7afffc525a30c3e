"""How the columns of a Parquet file are written: small where that pays, else fast to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

SAMPLE = 4096
# A double that was a single-precision number has zeros in its last 29 bits.
_SINGLE_PRECISION_TAIL = np.uint64((1 << 29) - 1)


@dataclass(frozen=True)
class Encodings:
    """Options of pyarrow's writer, by the Parquet paths of the leaf columns."""

    compression: dict[str, str]
    byte_stream_split: list[str]
    dictionary: list[str]


def choose_encodings(rows: pa.Table) -> Encodings:
    """Encodings for a file, from the first of its rows.

    Numbers that had single precision, as most networks predict, are split into byte streams and
    compressed with zstd: less than half the size. Full doubles hardly compress, by an eighth at
    best, and unpacking them takes longer than reading them as they are; so they are written plain,
    with LZ4, which passes over what it cannot compress. ``benchmarks/force_errors.py`` reads the
    latter in about 3/4 of the time.
    """
    compression, split, dictionary = {}, [], []
    for path, values in _leaves(rows):
        is_floating = pa.types.is_floating(values.type)
        is_full = is_floating and not _is_single_precision(values)
        compression[path] = "lz4" if is_full else "zstd"
        if is_floating and not is_full:
            split.append(path)
        if _repeats(path, values.type):
            dictionary.append(path)
    return Encodings(compression, split, dictionary)


def _is_single_precision(values: pa.Array) -> bool:
    """Whether most of the values are numbers that had single precision; so are no values at all."""
    if not pa.types.is_float64(values.type):
        return True
    bits = values.slice(0, SAMPLE).drop_null().to_numpy(zero_copy_only=False).view(np.uint64)
    return int(np.count_nonzero(bits & _SINGLE_PRECISION_TAIL)) * 2 <= len(bits)


def _repeats(path: str, kind: pa.DataType) -> bool:
    """Whether the values of a leaf repeat often enough for a dictionary."""
    return not pa.types.is_floating(kind) and kind != pa.int64() and path != "info"


def _leaves(rows: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    """Parquet path and first values of every leaf column."""

    def walk(path: str, values: pa.Array) -> Iterator[tuple[str, pa.Array]]:
        if pa.types.is_struct(values.type):
            for i in range(values.type.num_fields):
                yield from walk(f"{path}.{values.type.field(i).name}", values.field(i))
        elif pa.types.is_list(values.type):
            yield from walk(f"{path}.list.element", values.flatten())
        else:
            yield path, values

    for field in rows.schema:
        chunks = rows[field.name].chunks
        first = next((chunk for chunk in chunks if len(chunk)), pa.nulls(0, field.type))
        yield from walk(field.name, first)
