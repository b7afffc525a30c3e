"""Which structures a job is about: those that fulfil its condition, less those of other shards."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from compute.jobs.choices import Shard
from compute.jobs.done import Ids
from compute.jobs.job import Job
from lake.reader import Reader
from lake.rows.row_index import Places, RowIndex
from lake.rows.selection import select_places


def choose(
    reader: Reader, indices: Mapping[str, RowIndex], where: str | None
) -> dict[str, str] | None:
    """The structures that fulfil a condition, as a job carries them; None where there is none.

    Parameters
    ----------
    indices
        Of the structures of every dataset, by its name.

    Raises
    ------
    InvalidInputError
        The condition is not SQL, or names what is not there.
    """
    if where is None:
        return None
    return {
        dataset: pack_ids(index.ids_at(select_places(reader, index, where)))
        for dataset, index in indices.items()
    }


def chosen_places(job: Job, dataset: str, index: RowIndex) -> Places:
    """Places of the structures of a dataset a job is about, done or not, in order of the files."""
    assert (job.chosen is None) == (job.where is None), "a job carries what fulfils its condition"
    ids = index.ids_at(np.arange(len(index)))
    is_chosen = in_shard(ids, job.shard)
    if job.chosen is not None:
        is_chosen &= np.isin(ids, unpack_ids(job.chosen[dataset]))
    return np.flatnonzero(is_chosen)


def in_shard(ids: Ids, shard: Shard) -> NDArray[np.bool_]:
    """Whether each structure belongs to a shard: by its id, so wherever it stands. Shape (n,)."""
    remainders = ids.astype(np.uint64) % np.uint64(shard.of)
    return np.asarray(remainders == shard.number - 1, bool)


def pack_ids(ids: Ids) -> str:
    """Ids as text for JSON, half as long as their digits.

    Examples
    --------
    >>> unpack_ids(pack_ids(np.array([7, -1]))).tolist()
    [7, -1]
    """
    return base64.b64encode(ids.astype("<i8").tobytes()).decode("ascii")


def unpack_ids(text: str) -> Ids:
    """The ids that `pack_ids` made into a text."""
    return np.frombuffer(base64.b64decode(text), "<i8").astype(np.int64)
