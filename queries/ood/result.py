"""What comes of a question about out-of-distribution structures.

v_i, the variance of an atom, is the population variance over the members, summed over features.
Latents have no unit. NULL stands where a member has not predicted the energy or the forces.

``scores``, one row per set and structure, by set in the order given, then by place in the files
    set, dataset, structure_id, is_candidate, is_baseline, rank (from 1 among all candidates by the
    score that ranks; a structure that is in two sets has one rank, NULL of no candidate), source
    (file it was first read from), frame, config_type, formula, n_atoms,
    latent_variance_trace (mean of v_i over atoms), latent_variance_mean (the same divided by the
    number of features), latent_variance_trace_max, latent_variance_trace_p95 (over atoms),
    energy_disagreement [eV/atom], force_disagreement [eV/Å], then ``latent_variance_trace_<El>``
    of every element and latent_variance_aligned (see `queries.ood.alignment`) where they were asked
    for, then one column per key of info that holds single values, called as the key, or
    ``info_<key>`` where a column above has that name
``chosen``, the rows of ``scores`` that were chosen, in order of rank, each structure once
``statistics``, one row per set and score
    ensemble, set, score, n_structures, mean, std (sample), q50, q90, q95, q99
``histogram``, one row per set, score and bin: 50 bins of equal width over all sets together
    ensemble, set, score, bin (from 0), low, high, n_structures
``against``, scores saved before, of the same structures; empty where none were asked for
    name (they were saved under), ensemble, dataset, structure_id, latent_variance_trace,
    latent_variance_mean, energy_disagreement, force_disagreement
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queries.ood.selection import OodSelection

if TYPE_CHECKING:
    import polars as pl

# The variance of members that were aligned on the baseline, where that was asked for.
ALIGNED = "latent_variance_aligned"
# Columns of scores that say which structure it is; all others are scores or metadata.
IDENTITY = ("set", "dataset", "structure_id")
SCORES = (
    "latent_variance_trace",
    "latent_variance_mean",
    "latent_variance_trace_max",
    "latent_variance_trace_p95",
    "energy_disagreement",
    "force_disagreement",
)


@dataclass(frozen=True)
class OodScores:
    """All numbers of one answer, with what they were made from.

    Attributes
    ----------
    selection
        Sets, members and latents.
    lake_path, lake_version
        The lake that was asked, and its version.
    score
        Name of the score that ranks.
    scores, chosen, statistics, histogram, against
        Frames; see the top of this module.
    metadata
        Names of the columns of `scores` that came from keys of info.
    rule
        How the chosen were chosen: a sentence.
    cut_offs
        Values of the score by what they are, e.g. ``"q95 of T1"``; empty without a baseline.
    statements
        The exact SQL, by name, in the order in which it ran.
    warnings
        What whoever reads the numbers must know: sentences, the most serious first.
    """

    selection: OodSelection
    lake_path: str
    lake_version: int
    score: str
    scores: pl.DataFrame
    chosen: pl.DataFrame
    statistics: pl.DataFrame
    histogram: pl.DataFrame
    against: pl.DataFrame
    metadata: tuple[str, ...]
    rule: str
    cut_offs: Mapping[str, float]
    statements: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def question(self) -> str:
        """One sentence: what was asked."""
        sets = ", ".join(each.name for each in self.selection.candidates)
        return f"Which structures of {sets} are out of distribution for {self.selection.ensemble}?"

    @property
    def members(self) -> pl.DataFrame:
        """One row per member: ensemble, model, model_id, sha256, group, seed, parent."""
        import polars as pl

        rows = [
            {"ensemble": self.selection.ensemble, **vars(member)}
            for member in self.selection.members
        ]
        return pl.DataFrame(rows, infer_schema_length=None)
