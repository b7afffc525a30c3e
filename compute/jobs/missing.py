"""What is still to be computed: structures without a result, found by anti-join."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compute.jobs.chosen import chosen_places
from compute.jobs.done import Done, Ids
from compute.jobs.job import Job
from lake.rows.row_index import Places, RowIndex


def missing_places(
    job: Job, dataset: str, index: RowIndex, done: Done, layers: Sequence[str]
) -> Places:
    """Places of the structures of a dataset a job has to compute, in the order of the files.

    Parameters
    ----------
    index
        Of the structures of the dataset.
    done
        What one model has done of it.
    layers
        Names of the layers of latents that are wanted.
    """
    places = chosen_places(job, dataset, index)
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


def layer_names(n_layers: int, latents: str) -> dict[int, str]:
    """Names in the lake of the layers wanted, by index: the last layer is called ``last``."""
    last = n_layers - 1
    if latents == "none" or not n_layers:
        return {}
    if latents == "last":
        return {last: "last"}
    return {i: "last" if i == last else str(i) for i in range(n_layers)}
