"""The variance of latents over members that were aligned on a baseline, structure by structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lake.reader import Reader
from lake.structures.elements import SYMBOLS
from queries.ood.alignment import ENOUGH_ATOMS
from queries.ood.alignments import WHOLE, Alignments, align_members
from queries.ood.atom_latents import read_atom_latents
from queries.ood.result import ALIGNED

if TYPE_CHECKING:
    import polars as pl

KEYS = ("dataset", "structure_id")


def aligned_scores(
    reader: Reader,
    pointers: pl.DataFrame,
    model_ids: tuple[int, ...],
    baseline: pl.DataFrame,
    *,
    memory_mib: int,
) -> tuple[pl.DataFrame, list[str]]:
    """The mean over atoms of the variance over members that were aligned on a baseline.

    Parameters
    ----------
    pointers
        Of all structures to score, those of the baseline among them.
    baseline
        ``dataset`` and ``structure_id`` of the structures to fit on.

    Returns
    -------
    dataset, structure_id and ``latent_variance_aligned``, NULL where a structure has an element
    that members could not be aligned for; and what to say of it.

    Raises
    ------
    InvalidInputError, CorruptLakeError
        See `queries.ood.alignments.align_members`.
    """
    import polars as pl

    fitted_on = pointers.join(baseline, on=KEYS, how="semi", maintain_order="left")
    alignments = align_members(reader, fitted_on, model_ids, memory_mib)
    parts, missing = [], set()
    for atoms in read_atom_latents(reader, pointers, model_ids, memory_mib):
        variances = alignments.variances(atoms)
        missing |= set(atoms.numbers[np.isnan(variances)].tolist())
        of_atoms = pl.DataFrame({"structure_id": atoms.structure_ids, ALIGNED: variances})
        sums = of_atoms.group_by("structure_id").agg(pl.col(ALIGNED).sum(), n=pl.len())
        parts.append(sums.select(pl.lit(atoms.dataset).alias("dataset"), pl.all()))
    sums = pl.concat(parts).group_by(KEYS).agg(pl.col(ALIGNED, "n").sum())  # some are in two parts
    scores = sums.select(*KEYS, (pl.col(ALIGNED) / pl.col("n")).fill_nan(None))
    return scores, _caveats(alignments, scores, missing)


def _caveats(alignments: Alignments, scores: pl.DataFrame, missing: set[int]) -> list[str]:
    """Elements that could not be aligned, and those aligned on few atoms."""
    said = []
    if missing:
        elements = ", ".join(
            f"{SYMBOLS[number]} ({alignments.n_atoms.get(number, 0):,})"
            for number in sorted(missing)
        )
        said.append(
            f"{scores[ALIGNED].null_count():,} of {len(scores):,} structures have no {ALIGNED}: "
            "members could not be aligned for an element of theirs, because the baseline has too "
            f"few atoms of it, or their latents do not vary there: {elements}. Take a larger "
            "baseline."
        )
    few = {number: fit for (fold, number), fit in alignments.fits.items() if fold == WHOLE}
    texts = [
        f"{SYMBOLS[number]} ({fit.n_atoms:,} of {ENOUGH_ATOMS * (fit.rank + 1):,})"
        for number, fit in few.items()
        if not fit.has_enough_atoms
    ]
    if texts:
        said.append(
            f"The members were aligned on few atoms of {', '.join(texts)}: {ALIGNED} is too large "
            "where these are. Take a larger baseline."
        )
    return said
