"""Clusters of the most uncertain atoms: which kinds of surroundings the members disagree on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lake.errors import CorruptLakeError
from lake.latents.latent_reader import open_array
from lake.reader import Reader
from lake.storage.storage import Storage
from lake.structures.elements import SYMBOLS
from queries.ood.baseline.clusters import number_clusters
from queries.ood.baseline.models import Settings
from queries.ood.pointers import read_pointers
from queries.ood.result import OodScores

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

SCORE = "latent_variance_trace"


def cluster_atoms(
    reader: Reader, result: OodScores, atoms: pl.LazyFrame, settings: Settings | None = None
) -> pl.DataFrame:
    """The most uncertain atoms of the candidates, and clusters of their latents.

    Parameters
    ----------
    atoms
        ``dataset``, ``structure_id``, ``atom``, ``number`` and ``latent_variance_trace`` of every
        atom, as `queries.ood.structure_scores.atom_batches` gives them.

    Returns
    -------
    dataset, structure_id, atom (index from 0), element, latent_variance_trace, cluster (from 1, by
    the most uncertain atom in it), the most uncertain first. Clusters are of the latents averaged
    over members.

    Raises
    ------
    InvalidInputError
        scikit-learn is not installed.
    CorruptLakeError
        An array of latents is missing, or shorter than its pointers say.
    """
    import polars as pl

    settings = settings or Settings()
    uncertain = _most_uncertain(result, atoms, settings.n_uncertain_atoms)
    vectors = mean_latents(reader, result, uncertain)
    return uncertain.select(
        "dataset",
        "structure_id",
        "atom",
        pl.Series("element", [SYMBOLS[number] for number in uncertain["number"]], pl.String),
        SCORE,
        pl.Series("cluster", number_clusters(vectors, settings), pl.Int64),
    )


def mean_latents(reader: Reader, result: OodScores, atoms: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Latents of some atoms, averaged over the members. Shape (n_atoms, n_features).

    Parameters
    ----------
    atoms
        ``dataset``, ``structure_id`` and ``atom``.
    """
    selection = result.selection
    structures = atoms.select("dataset", "structure_id").unique(maintain_order=True)
    pointers, _ = read_pointers(reader, structures, selection.members, selection.layer)
    total = np.zeros((len(atoms), selection.n_features))
    for member in selection.members:
        places = atoms.join(
            pointers.filter(model_id=member.model_id),
            on=["dataset", "structure_id"],
            how="left",
            maintain_order="left",
        )
        rows = places["offset"].to_numpy() + places["atom"].to_numpy()
        for store in places["store"].unique().sort():
            belongs = (places["store"] == store).to_numpy()
            total[belongs] += _rows(reader.storage, store, rows[belongs])
    return total / len(selection.members)


def _most_uncertain(result: OodScores, atoms: pl.LazyFrame, n: int) -> pl.DataFrame:
    """Atoms of candidates with the greatest variance; ties by structure and place."""
    import polars as pl

    candidates = result.scores.drop_nulls("rank").select("dataset", "structure_id").unique()
    among = atoms.join(candidates.lazy(), on=["dataset", "structure_id"], how="semi")
    # Two passes, so that millions of atoms are never sorted.
    least = among.select(pl.col(SCORE).top_k(n).min()).collect().item()
    greatest = among.filter(pl.col(SCORE) >= least).collect()
    order = [SCORE, "dataset", "structure_id", "atom"]
    return greatest.sort(order, descending=[True, False, False, False]).head(n)


def _rows(storage: Storage, store: str, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Some rows of an array; each chunk is read once."""
    array = open_array(storage, store)
    if rows.max() >= array.shape[0]:
        raise CorruptLakeError(
            f"{storage.url(store)} has {array.shape[0]} rows; pointers name row {rows.max()}. "
            "Expected all of them. Run 'atomlake check'."
        )
    wanted, back = np.unique(rows, return_inverse=True)
    return np.asarray(array.oindex[wanted, slice(None)], np.float64)[back]
