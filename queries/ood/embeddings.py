"""One vector per structure: its latents, averaged over atoms and members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lake.reader import Reader
from queries.ood.result import IDENTITY, OodScores
from queries.statements.session import Session
from queries.statements.statement import read_statement

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl


def structure_embeddings(
    reader: Reader, result: OodScores
) -> tuple[pl.DataFrame, npt.NDArray[np.float64]]:
    """The mean over members and atoms of the latents of every structure of a result.

    Parameters
    ----------
    reader
        The version of the lake that the result came from.

    Returns
    -------
    set, dataset and structure_id, row by row as in ``result.scores``, and the vectors, shape
    (n_rows, n_features).
    """
    rows = result.scores.select(IDENTITY)
    parameters = {
        "layer": result.selection.layer,
        "model_ids": [member.model_id for member in result.selection.members],
    }
    wanted = rows.select("dataset", "structure_id").unique()
    with Session(reader, ("embeddings",), parameters) as session:
        session.add_rows("wanted_structures", wanted.to_arrow(), "")
        found = session.ask(read_statement("ood", "structure_embeddings"))
    joined = rows.join(found, on=["dataset", "structure_id"], how="left", maintain_order="left")
    shape = (len(rows), len(result.selection.members), result.selection.n_features)
    means = joined["means"].explode().explode().to_numpy().reshape(shape)
    # Always in one order: fits and maps of the same lake are the same to the last bit.
    return rows, means.astype(float).mean(axis=1)
