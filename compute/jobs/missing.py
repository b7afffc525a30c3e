"""What is still to be computed: structures without a result, found by anti-join."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compute.jobs.choices import Shard
from compute.jobs.done import Done, Ids
from compute.jobs.job import Job
from lake.reader import Reader
from lake.rows.row_index import Places, RowIndex
from lake.rows.selection import select_places


def chosen_places(reader: Reader, job: Job, index: RowIndex) -> Places:
    """Places of the structures a job is about, done or not, in the order of the files.

    Raises
    ------
    InvalidInputError
        The job's condition is not SQL, or names what is not there.
    """
    places = select_places(reader, index, job.where)
    return places[in_shard(index.ids_at(places), job.shard)]


def missing_places(
    reader: Reader, job: Job, index: RowIndex, done: Done, layers: Sequence[str]
) -> Places:
    """Places of the structures a job has to compute, in the order of the files.

    Parameters
    ----------
    index
        Of the structures of one dataset.
    done
        What one model has done of it.
    layers
        Names of the layers of latents that are wanted.

    Raises
    ------
    InvalidInputError
        The job's condition is not SQL, or names what is not there.
    """
    places = chosen_places(reader, job, index)
    ids = index.ids_at(places)
    if job.only_failed:
        return places[np.isin(ids, done.failed)]
    return places[~is_done(ids, done, job, layers)]


def is_done(ids: Ids, done: Done, job: Job, layers: Sequence[str]) -> NDArray[np.bool_]:
    """Whether nothing is left to do for each structure. Shape (n,).

    One that failed is done, until it is asked for with ``only_failed``.
    """
    complete = np.ones(len(ids), bool)
    if job.task == "predict":
        complete &= np.isin(ids, done.predicted)
    for layer in layers:
        complete &= np.isin(ids, done.latents.get(layer, np.empty(0, np.int64)))
    return complete | np.isin(ids, done.failed)


def is_among(ids: Ids, sorted_ids: Ids) -> NDArray[np.bool_]:
    """Whether each of a few ids is one of many sorted ones. Shape (n,)."""
    at = np.searchsorted(sorted_ids, ids)
    is_inside = at < len(sorted_ids)
    found = np.zeros(len(ids), bool)
    found[is_inside] = sorted_ids[at[is_inside]] == ids[is_inside]
    return found


def in_shard(ids: Ids, shard: Shard) -> NDArray[np.bool_]:
    """Whether each structure belongs to a shard: by its id, so wherever it stands. Shape (n,)."""
    remainders = ids.astype(np.uint64) % np.uint64(shard.of)
    return np.asarray(remainders == shard.number - 1, bool)


def layer_names(n_layers: int, latents: str) -> dict[int, str]:
    """Names in the lake of the layers wanted, by index: the last layer is called ``last``."""
    last = n_layers - 1
    if latents == "none" or not n_layers:
        return {}
    if latents == "last":
        return {last: "last"}
    return {i: "last" if i == last else str(i) for i in range(n_layers)}
