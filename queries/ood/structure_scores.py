"""Scores of structures from the variances of their atoms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.reader import Reader
from lake.structures.elements import SYMBOLS
from queries.ood.atom_variances import AtomVariances, read_variances
from queries.ood.atomic_numbers import AtomicNumbers
from queries.statements.statement import read_statement

if TYPE_CHECKING:
    import duckdb
    import polars as pl

KEYS = ("dataset", "structure_id")


def score_structures(
    reader: Reader,
    pointers: pl.DataFrame,
    model_ids: tuple[int, ...],
    *,
    memory_mib: int,
    by_element: bool,
) -> pl.DataFrame:
    """The scores of all structures that the pointers name.

    Parameters
    ----------
    by_element
        Give the mean over the atoms of each element too.

    Returns
    -------
    dataset, structure_id and the scores of latents; see `queries.ood.result`.
    """
    import duckdb
    import polars as pl

    n_features = int(pointers["n_features"][0])
    numbers = AtomicNumbers(reader) if by_element else None
    parts, elements = [], []
    with duckdb.connect() as connection:
        for part in read_variances(reader, pointers, model_ids, memory_mib):
            _register(
                connection,
                part,
                None if numbers is None else numbers.of(part.dataset, part.structure_ids),
            )
            dataset = pl.lit(part.dataset).alias("dataset")
            scores = _ask(connection, "structure_scores", {"n_features": n_features})
            parts.append(scores.select(dataset, pl.all()))
            if numbers is not None:
                elements.append(_ask(connection, "element_scores").select(dataset, pl.all()))
    scores = pl.concat(parts)
    if not elements:
        return scores
    wide = _by_symbol(pl.concat(elements))
    return scores.join(wide, on=KEYS, how="left", maintain_order="left")


def atom_batches(
    reader: Reader,
    pointers: pl.DataFrame,
    model_ids: tuple[int, ...],
    memory_mib: int,
) -> Iterator[pa.RecordBatch]:
    """The variance of every atom, structure by structure.

    Yields
    ------
    dataset, structure_id, atom (index in the structure, from 0), number (atomic) and
    latent_variance_trace (v_i of the atom).
    """
    numbers = AtomicNumbers(reader)
    for part in read_variances(reader, pointers, model_ids, memory_mib):
        yield pa.record_batch(
            {
                "dataset": pa.repeat(pa.scalar(part.dataset), len(part.variance)),
                "structure_id": np.repeat(part.structure_ids, part.n_atoms),
                "atom": np.concatenate([np.arange(n, dtype=np.int32) for n in part.n_atoms]),
                "number": numbers.of(part.dataset, part.structure_ids),
                "latent_variance_trace": part.variance,
            }
        )


def _register(
    connection: duckdb.DuckDBPyConnection, part: AtomVariances, numbers: NDArray[np.int16] | None
) -> None:
    columns: dict[str, NDArray[Any]] = {
        "structure_id": np.repeat(part.structure_ids, part.n_atoms),
        "variance": part.variance,
    }
    if numbers is not None:
        columns["number"] = numbers
    connection.register("atom_variances", pa.table(columns))


def _ask(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, int] | None = None
) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(read_statement("ood", name).text, params=parameters).pl()
    return frame


def _by_symbol(elements: pl.DataFrame) -> pl.DataFrame:
    """One column per element, in order of atomic number."""
    import polars as pl

    numbers = elements["number"].unique().sort().to_list()
    return elements.group_by(KEYS).agg(
        pl.col("variance")
        .filter(pl.col("number") == number)
        .first()
        .alias(f"latent_variance_trace_{SYMBOLS[number]}")
        for number in numbers
    )
