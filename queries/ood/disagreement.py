"""How much the members of an ensemble disagree on energies and forces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.reader import Reader
from lake.rows.row_index import Places
from lake.rows.row_reader import RowReader
from queries.ood.pairwise import variances
from queries.ood.selection import Member

if TYPE_CHECKING:
    import duckdb
    import polars as pl

ATOMS_AT_ONCE = 100_000
CACHE_BYTES = 64 * 2**20  # per member


def force_disagreement(
    reader: Reader, structures: pl.DataFrame, members: tuple[Member, ...]
) -> pl.DataFrame:
    """Standard deviation over members of the force on an atom, averaged over atoms.

    Of one atom it is sqrt((1/M) Σ_m ‖F_m − F̄‖²).

    Parameters
    ----------
    structures
        ``dataset`` and ``structure_id`` of structures that every member predicted forces of.

    Returns
    -------
    dataset, structure_id and force_disagreement [eV/Å]; no row where the rows are of a model that
    had a member's name before it.
    """
    import duckdb
    import polars as pl

    schema = {"dataset": pl.String, "structure_id": pl.Int64, "force_disagreement": pl.Float64}
    parts = [pl.DataFrame(schema=schema)]
    with duckdb.connect() as connection:
        for (dataset,), part in structures.group_by("dataset", maintain_order=True):
            readers = [_predictions(reader, str(dataset), member) for member in members]
            ids = part["structure_id"].to_numpy()
            for places in _cut(readers[0], ids):
                found = _of(connection, readers, members, readers[0].index.ids_at(places))
                parts.append(found.select(pl.lit(dataset).alias("dataset"), pl.all()))
    return pl.concat(parts)


def _predictions(reader: Reader, dataset: str, member: Member) -> RowReader:
    return RowReader(
        reader,
        "predictions",
        columns=("structure_id", "model_id", "n_atoms", "forces"),
        cache_bytes=CACHE_BYTES,
        dataset=dataset,
        model=member.model,
    )


def _cut(rows: RowReader, ids: NDArray[np.int64]) -> list[Places]:
    """Places of structures in the order of the files, in parts of about `ATOMS_AT_ONCE` atoms."""
    parts = []
    for run in rows.index.runs(np.sort(rows.index.locate(ids))):
        ends = np.cumsum(rows.take(run)["n_atoms"].to_numpy())
        breaks = np.flatnonzero(np.diff(ends // ATOMS_AT_ONCE)) + 1
        parts += np.split(run, breaks)
    return parts


def _of(
    connection: duckdb.DuckDBPyConnection,
    readers: list[RowReader],
    members: tuple[Member, ...],
    ids: NDArray[np.int64],
) -> pl.DataFrame:
    import polars as pl

    rows = [each.fetch(ids) for each in readers]
    is_same = np.all(
        [
            (part["model_id"].to_numpy() == member.model_id) & np.asarray(part["forces"].is_valid())
            for part, member in zip(rows, members, strict=True)
        ],
        axis=0,
    )
    rows = [part.filter(pa.array(is_same)) for part in rows]
    n_atoms = rows[0]["n_atoms"].to_numpy().astype(np.int64)
    if not n_atoms.sum():
        return pl.DataFrame(
            schema={"structure_id": pl.Int64, "force_disagreement": pl.Float64},
        )
    deviation = np.sqrt(variances(connection, [_vectors(part["forces"]) for part in rows]))
    starts = np.cumsum(n_atoms) - n_atoms
    means = np.add.reduceat(deviation, starts) / n_atoms
    return pl.DataFrame({"structure_id": ids[is_same], "force_disagreement": means})


def _vectors(forces: pa.ChunkedArray) -> NDArray[np.float64]:
    """Forces of all atoms, one structure after the other. Shape (n_atoms, 3)."""
    whole = forces.combine_chunks()
    components = [whole.field(axis).flatten().to_numpy() for axis in "xyz"]
    return np.ascontiguousarray(np.stack(components, axis=1))
