"""Latents of all members with the atoms they are of, a few thousand atoms at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lake.reader import Reader
from queries.ood.atomic_numbers import AtomicNumbers
from queries.ood.blocks import read_blocks
from queries.ood.latent_places import Places

if TYPE_CHECKING:
    import polars as pl

ROWS = 8_192  # at once: in float64, latents take twice the room in which they were read


@dataclass(frozen=True, eq=False)
class AtomLatents:
    """Atoms of one dataset that follow each other; a structure may go on in the next part.

    Attributes
    ----------
    structure_ids, numbers
        Of each atom: its structure, and its atomic number. Shape (n_atoms,).
    latents
        In float64. Shape (n_members, n_atoms, n_features).
    """

    dataset: str
    structure_ids: NDArray[np.int64]
    numbers: NDArray[np.int16]
    latents: NDArray[np.float64]


def read_atom_latents(
    reader: Reader, pointers: pl.DataFrame, model_ids: tuple[int, ...], memory_mib: int
) -> Iterator[AtomLatents]:
    """The latents of all atoms of structures, in parts of bounded size.

    Parameters
    ----------
    pointers
        Of structures that every member has latents of; see ``latent_pointers.sql``.
    memory_mib
        Room for latents, in MiB.

    Raises
    ------
    CorruptLakeError
        An array is missing, or shorter than the pointers say.
    """
    atomic_numbers = AtomicNumbers(reader)
    for (dataset,), part in pointers.group_by("dataset", maintain_order=True):
        places = Places.from_pointers(part, model_ids)
        begins = np.cumsum(places.n_atoms) - places.n_atoms
        done = 0  # atoms
        for block in read_blocks(reader.storage, places, memory_mib):
            ids = places.structure_ids[block.first : block.first + len(block.n_atoms)]
            of_atoms = np.repeat(ids, block.n_atoms)
            skip = done - begins[block.first]
            numbers = atomic_numbers.of(str(dataset), ids)[skip : skip + len(of_atoms)]
            for start in range(0, len(of_atoms), ROWS):
                at = slice(start, start + ROWS)
                latents = np.stack([each[at] for each in block.latents], dtype=np.float64)
                yield AtomLatents(str(dataset), of_atoms[at], numbers[at], latents)
            done += len(of_atoms)
