"""The column types the tables are made of, and how each is called in DuckDB and in Delta."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
FLOATS = pa.list_(pa.float64())
BOOLEANS = pa.list_(pa.bool_())
STRINGS = pa.list_(pa.string())
INTEGERS = pa.list_(pa.int64())
NUMBERS = pa.list_(pa.int16())

# A vector per atom is three lists, not a list of triples: DuckDB and Polars then work on each
# component as one flat column.
VECTORS = pa.struct([("x", FLOATS), ("y", FLOATS), ("z", FLOATS)])

# Voigt order, sign as in ASE (positive under tension).
VOIGT = pa.struct([(name, pa.float64()) for name in ("xx", "yy", "zz", "yz", "xz", "xy")])

# A per-atom array of any name: exactly one of the four lists is set, flat and row-major, with
# n_columns values for every atom.
ARRAYS = pa.list_(
    pa.struct(
        [
            ("name", pa.string()),
            ("n_columns", pa.int32()),
            ("floats", FLOATS),
            ("integers", INTEGERS),
            ("strings", STRINGS),
            ("booleans", BOOLEANS),
        ]
    )
)

_SCALARS = {
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    TIMESTAMP: "TIMESTAMPTZ",
}

_DELTA_SCALARS = {
    pa.int16(): "short",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.bool_(): "boolean",
    TIMESTAMP: "timestamp",
}


def duckdb_type(arrow_type: pa.DataType) -> str:
    """The DuckDB name of an Arrow type, e.g. ``STRUCT(x DOUBLE[], y DOUBLE[], z DOUBLE[])``.

    Raises
    ------
    TypeError
        The type is none the tables use.
    """
    if arrow_type in _SCALARS:
        return _SCALARS[arrow_type]
    if pa.types.is_list(arrow_type):
        return duckdb_type(arrow_type.value_type) + "[]"
    if pa.types.is_struct(arrow_type):
        inner = ", ".join(
            f'"{f.name}" {duckdb_type(f.type)}'
            for f in (arrow_type.field(i) for i in range(arrow_type.num_fields))
        )
        return f"STRUCT({inner})"
    raise TypeError(f"no table uses the Arrow type {arrow_type}")


def delta_field(name: str, arrow_type: pa.DataType) -> dict[str, Any]:
    """A column that may be NULL, as the schema of a Delta table names it.

    Raises
    ------
    TypeError
        The type is none the tables use.
    """
    return {"name": name, "type": _delta_type(arrow_type), "nullable": True, "metadata": {}}


def _delta_type(arrow_type: pa.DataType) -> str | dict[str, Any]:
    if arrow_type in _DELTA_SCALARS:
        return _DELTA_SCALARS[arrow_type]
    if pa.types.is_list(arrow_type):
        element = _delta_type(arrow_type.value_type)
        return {"type": "array", "elementType": element, "containsNull": True}
    if pa.types.is_struct(arrow_type):
        inner = [arrow_type.field(i) for i in range(arrow_type.num_fields)]
        return {"type": "struct", "fields": [delta_field(f.name, f.type) for f in inner]}
    raise TypeError(f"no table uses the Arrow type {arrow_type}")
