"""Population variance over members, in DuckDB, from the distances of all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb

# DuckDB's threads take a record batch each.
BATCH_ROWS = 4_096


def variance_sql(n_members: int) -> str:
    """The variance of vectors over members, summed over components.

    (1/M) Σ_m ‖z_m − z̄‖² = (1/M²) Σ_{m<n} ‖z_m − z_n‖²: no mean, and no list taken apart. The
    statement is made and not in a file, because it has a term for every pair.

    Examples
    --------
    >>> print(variance_sql(2))
    SELECT
        place,
        (
            POW(CAST(ARRAY_DISTANCE(z0, z1) AS DOUBLE), 2)
        ) / 4 AS variance
    FROM block
    """
    terms = " +\n        ".join(
        f"POW(CAST(ARRAY_DISTANCE(z{i}, z{j}) AS DOUBLE), 2)"
        for i, j in combinations(range(n_members), 2)
    )
    mean = f"(\n        {terms}\n    ) / {n_members**2}"
    return f"SELECT\n    place,\n    {mean} AS variance\nFROM block"


def variances(
    connection: duckdb.DuckDBPyConnection, vectors: Sequence[NDArray[Any]]
) -> NDArray[np.float64]:
    """The variance of every row over members, summed over columns.

    Parameters
    ----------
    vectors
        One array per member, float32 or float64, at least two. Shape (n_rows, n_columns).

    Returns
    -------
    Shape (n_rows,); the square of the unit of the vectors.
    """
    n_rows, width = vectors[0].shape
    columns = {
        f"z{i}": pa.FixedSizeListArray.from_arrays(pa.array(each.reshape(-1)), width)
        for i, each in enumerate(vectors)
    }
    rows = pa.table({"place": pa.array(np.arange(n_rows, dtype=np.int32)), **columns})
    connection.register(
        "block", pa.Table.from_batches(rows.to_batches(max_chunksize=BATCH_ROWS), rows.schema)
    )
    found = connection.sql(variance_sql(len(vectors))).to_arrow_table()
    connection.unregister("block")
    result = np.empty(n_rows)
    result[found["place"].to_numpy()] = found["variance"].to_numpy()
    return result
