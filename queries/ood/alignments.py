"""Alignments of the members of an ensemble, element by element, fitted on a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lake.errors import InvalidInputError
from lake.reader import Reader
from queries.ood.alignment import Alignment, Moments, align
from queries.ood.atom_latents import AtomLatents, read_atom_latents
from queries.ood.blocks import MEBIBYTE

if TYPE_CHECKING:
    import polars as pl

# A structure of the baseline is scored by what was fitted without its fold: what it was fitted on
# agrees better than what is new, and a quantile of the baseline would be too low a cut-off.
FOLDS = 5
WHOLE = FOLDS  # in place of a fold: fitted on all of them
FLOAT64_BYTES = 8
LEAST_ROOM_MIB = 256  # for sums, whatever the room for latents: several elements of most models

Group = tuple[int, int]  # fold and atomic number


@dataclass(frozen=True)
class Alignments:
    """What was fitted on a baseline.

    Attributes
    ----------
    baseline
        The structures fitted on. Shape (n_structures,).
    n_atoms
        Atoms of the baseline, by atomic number.
    fits
        By the fold left out, or `WHOLE`, and atomic number; for elements whose members can be
        aligned whichever fold is left out.
    """

    baseline: NDArray[np.int64]
    n_atoms: Mapping[int, int]
    fits: Mapping[Group, Alignment]

    def variances(self, atoms: AtomLatents) -> NDArray[np.float64]:
        """See `Alignment.variances`; NaN of elements that were not fitted. Shape (n_atoms,)."""
        in_baseline = np.isin(atoms.structure_ids, self.baseline)
        folds = np.where(in_baseline, atoms.structure_ids % FOLDS, WHOLE)
        found = np.full(len(folds), np.nan)
        for group, which in _groups(folds, atoms.numbers):
            if group in self.fits:
                found[which] = self.fits[group].variances(atoms.latents[:, which])
        return found


def align_members(
    reader: Reader, pointers: pl.DataFrame, model_ids: tuple[int, ...], memory_mib: int
) -> Alignments:
    """Align the members of an ensemble on the atoms of a baseline, element by element.

    Parameters
    ----------
    pointers
        Of the structures of the baseline; see ``latent_pointers.sql``.
    memory_mib
        Room for latents, in MiB; and again, but no less than `LEAST_ROOM_MIB`, for the sums that
        fits are made from.

    Raises
    ------
    InvalidInputError
        The sums need more room.
    CorruptLakeError
        See `queries.ood.blocks.read_blocks`.
    """
    sums: dict[Group, Moments] = {}
    for atoms in read_atom_latents(reader, pointers, model_ids, memory_mib):
        for group, which in _groups(atoms.structure_ids % FOLDS, atoms.numbers):
            rows = np.concatenate(atoms.latents[:, which], axis=1)
            sums[group] = sums[group] + Moments.of(rows) if group in sums else Moments.of(rows)
            _check_room(len(sums), rows.shape[1], memory_mib)
    numbers = sorted({number for _, number in sums})
    fits: dict[Group, Alignment] = {}
    for number in numbers:
        folds = {fold: _fit(sums, fold, number, len(model_ids)) for fold in (*range(FOLDS), WHOLE)}
        found = {(fold, number): fit for fold, fit in folds.items() if fit is not None}
        fits |= found if len(found) == len(folds) else {}
    n_atoms = {n: sum(each.n_rows for (_, m), each in sums.items() if m == n) for n in numbers}
    return Alignments(pointers["structure_id"].unique().to_numpy(), n_atoms, fits)


def _fit(
    sums: Mapping[Group, Moments], left_out: int, number: int, n_members: int
) -> Alignment | None:
    parts = [each for (fold, n), each in sums.items() if n == number and fold != left_out]
    return align(reduce(add, parts), n_members) if parts else None


def _groups(
    folds: NDArray[np.int64], numbers: NDArray[np.int16]
) -> Iterator[tuple[Group, NDArray[np.int64]]]:
    """Every fold and element there is, with the places of its atoms."""
    pairs = np.stack([folds, numbers.astype(np.int64)])
    groups, inverse = np.unique(pairs, axis=1, return_inverse=True)
    for i, (fold, number) in enumerate(groups.T.tolist()):
        yield (fold, number), np.flatnonzero(inverse.reshape(-1) == i)


def _check_room(n_groups: int, n_columns: int, memory_mib: int) -> None:
    needed = n_groups * n_columns**2 * FLOAT64_BYTES / MEBIBYTE
    if needed > max(memory_mib, LEAST_ROOM_MIB):
        raise InvalidInputError(
            f"--memory {memory_mib}: to align the members takes more than {needed:,.0f} MiB, with "
            f"{n_columns:,} features of all of them together. Expected room for that, for each "
            f"element {FOLDS} times. Give more, or leave it out with --no-distances."
        )
