"""The variance of every atom over the members, structure by structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lake.errors import CorruptLakeError
from lake.reader import Reader
from queries.ood.blocks import read_blocks
from queries.ood.latent_places import Places
from queries.ood.pairwise import variances

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class AtomVariances:
    """Whole structures of one dataset.

    Attributes
    ----------
    structure_ids, n_atoms
        Shape (n_structures,).
    variance
        v_i of all their atoms, one structure after the other, in the order of the atoms. Shape
        (sum of n_atoms,).
    """

    dataset: str
    structure_ids: NDArray[np.int64]
    n_atoms: NDArray[np.int64]
    variance: NDArray[np.float64]


def read_variances(
    reader: Reader, pointers: pl.DataFrame, model_ids: tuple[int, ...], memory_mib: int
) -> Iterator[AtomVariances]:
    """The variance of the latents of every atom, in parts of bounded size.

    Parameters
    ----------
    pointers
        Of structures that every member has latents of; see ``latent_pointers.sql``.
    memory_mib
        Room for latents, in MiB.

    Raises
    ------
    CorruptLakeError
        An array is not as the pointers say, or holds what is no finite number.
    """
    for (dataset,), part in pointers.group_by("dataset", maintain_order=True):
        places = Places.from_pointers(part, model_ids)
        yield from _of_dataset(reader, str(dataset), places, memory_mib)


def _of_dataset(
    reader: Reader, dataset: str, places: Places, memory_mib: int
) -> Iterator[AtomVariances]:
    import duckdb

    begun: list[NDArray[np.float64]] = []  # of a structure that earlier blocks did not end
    with duckdb.connect() as connection:
        for block in read_blocks(reader.storage, places, memory_mib):
            variance = variances(connection, block.latents)
            _check_finite(reader, dataset, places, block.first, block.n_atoms, variance)
            n_open = 0 if block.is_whole else int(block.n_atoms[-1])
            ended, still_open = np.split(variance, [len(variance) - n_open])
            n_ended = len(block.n_atoms) - (not block.is_whole)
            if n_ended:
                among = slice(block.first, block.first + n_ended)
                yield AtomVariances(
                    dataset,
                    places.structure_ids[among],
                    places.n_atoms[among],
                    np.concatenate([*begun, ended]),
                )
                begun = []
            if n_open:
                begun.append(still_open)


def _check_finite(
    reader: Reader,
    dataset: str,
    places: Places,
    first: int,
    n_atoms: NDArray[np.int64],
    variance: NDArray[np.float64],
) -> None:
    """Refuse numbers that the means in the table did not tell of."""
    bad = np.flatnonzero(~np.isfinite(variance))
    if not len(bad):
        return
    at = first + int(np.searchsorted(np.cumsum(n_atoms), bad[0], side="right"))
    where = ", ".join(sorted({places.stores[number] for number in places.store[:, at]}))
    raise CorruptLakeError(
        f"{reader.storage.uri}: dataset {dataset!r}, structure {places.structure_ids[at]}: its "
        f"latents hold what is no finite number, or are too large for float32, in one of {where}. "
        "Expected finite numbers. Run 'atomlake check'; drop the latents and compute them again, "
        "or leave the structure out with a condition of the set."
    )
