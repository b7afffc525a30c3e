"""Distances from a baseline for every structure of an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lake.errors import InvalidInputError
from lake.reader import Reader
from queries.ood.baseline.clusters import cluster_structures
from queries.ood.baseline.distances import DISTANCES, distances_of
from queries.ood.baseline.fitting import caveats, fit_baseline
from queries.ood.baseline.maps import map_structures
from queries.ood.baseline.models import Baseline, Origin, Settings
from queries.ood.baseline.storing import read_baseline
from queries.ood.embeddings import structure_embeddings
from queries.ood.result import IDENTITY, OodScores
from queries.ood.selection import OodSelection

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl


@dataclass(frozen=True)
class BaselineScores:
    """What the models of a baseline say of the structures of an answer.

    Attributes
    ----------
    baseline
        The models; `queries.ood.baseline.write_baseline` keeps them.
    scores
        set, dataset, structure_id, the columns `DISTANCES` and ``cluster`` (from 1; NULL where a
        structure is not among the most uncertain), row by row as in the scores of the answer.
    map
        One row per structure, each once: set, dataset, structure_id, is_baseline, is_chosen,
        score (that which ranks), pca_1, pca_2 (the widest components kept), density_1, density_2
        (those of the mixture), negative_log_likelihood, cluster, t_sne_1, t_sne_2 (NULL of what is
        left off that map). Where sets share a structure, its row is that of the first set.
    warnings
        Sentences.
    """

    baseline: Baseline
    scores: pl.DataFrame
    map: pl.DataFrame
    warnings: tuple[str, ...]


def score_baseline(
    result: OodScores,
    reader: Reader,
    settings: Settings | None = None,
    *,
    kept: Path | None = None,
    is_mapped: bool = True,
) -> BaselineScores:
    """Fit a baseline, or take one that was kept, and measure all structures of an answer by it.

    Parameters
    ----------
    reader
        The version of the lake the answer came from.
    settings
        Of a baseline that is fitted now. One that was kept has its own.
    kept
        File of a baseline fitted before, which is applied as it is.
    is_mapped
        Whether to place structures on a map of neighbours, by far the longest step.

    Raises
    ------
    InvalidInputError
        There is no baseline, it is too small, latents are not finite, the baseline that was kept is
        of other models or latents, or scikit-learn is not installed.
    """
    rows, vectors = structure_embeddings(reader, result)
    baseline = find_baseline(result, rows, vectors, settings, kept=kept)
    return measure(result, baseline, rows, vectors, is_mapped=is_mapped)


def find_baseline(
    result: OodScores,
    rows: pl.DataFrame,
    vectors: npt.NDArray[np.float64],
    settings: Settings | None = None,
    *,
    kept: Path | None = None,
) -> Baseline:
    """The baseline of an answer, fitted now; or one that was kept, if it is of the same latents.

    Raises
    ------
    InvalidInputError
        See `score_baseline`.
    """
    if kept is None:
        return fit_set(result, rows, vectors, settings)
    baseline = read_baseline(kept)
    check_origin(baseline, result.selection, kept)
    return baseline


def measure(
    result: OodScores,
    baseline: Baseline,
    rows: pl.DataFrame,
    vectors: npt.NDArray[np.float64],
    *,
    is_mapped: bool = True,
) -> BaselineScores:
    """Measure all structures of an answer by the models of a baseline.

    Parameters
    ----------
    rows, vectors
        What `queries.ood.embeddings.structure_embeddings` gives.
    is_mapped
        As of `score_baseline`.
    """
    identities = rows["structure_id"].to_numpy()
    scores = rows.hstack(distances_of(baseline, identities, vectors))
    points = baseline.kept.coordinates(vectors)
    clusters = cluster_structures(result, points, baseline.settings)
    scores = scores.with_columns(cluster=clusters)
    placed = map_structures(result, baseline, scores, vectors, is_mapped=is_mapped)
    warnings = (*caveats(baseline), *_shared(baseline, result))
    return BaselineScores(baseline, scores, placed, warnings)


def join_distances(result: OodScores, measured: BaselineScores) -> OodScores:
    """The answer with the distances as columns of ``scores`` and ``chosen``."""
    columns = [*IDENTITY, *DISTANCES, "cluster"]
    more = measured.scores.select(columns)
    joined = {
        name: getattr(result, name).join(more, on=list(IDENTITY), how="left", maintain_order="left")
        for name in ("scores", "chosen")
    }
    return replace(result, **joined, warnings=(*result.warnings, *measured.warnings))


def check_origin(baseline: Baseline, selection: OodSelection, where: Path) -> None:
    """Refuse a baseline whose embeddings are not those of an answer.

    Raises
    ------
    InvalidInputError
        Its members, its layer or the definition of its latents differ.
    """
    origin = baseline.origin
    members = {member.sha256 for member in selection.members}
    if set(origin.members) != members:
        n_common = len(members & set(origin.members))
        raise InvalidInputError(
            f"{where} was fitted on latents of {len(origin.members)} models, {n_common} of which "
            f"are among the {len(members)} of the question. Expected the same models: embeddings "
            "of others mean something else. Ask for those models, or fit a baseline anew."
        )
    if (origin.layer, origin.definition) != (selection.layer, selection.definition):
        raise InvalidInputError(
            f"{where} was fitted on layer {origin.layer}, defined by {origin.definition}; the "
            f"question is of layer {selection.layer}, defined by {selection.definition}. Expected "
            "the same latents. Ask for those, or fit a baseline anew."
        )


def fit_set(
    result: OodScores,
    rows: pl.DataFrame,
    vectors: npt.NDArray[np.float64],
    settings: Settings | None = None,
) -> Baseline:
    """Fit a baseline on the structures of an answer that are in its baseline set.

    Raises
    ------
    InvalidInputError
        The answer has no such set, or see `fit_baseline`.
    """
    name = result.selection.baseline
    if name is None:
        raise InvalidInputError(
            "There is no baseline set. Expected one, to measure distances from. Name it with "
            "--baseline, or leave the distances out."
        )
    belongs = (rows["set"] == name).to_numpy()
    baseline_set = next(each for each in result.selection.sets if each.name == name)
    origin = Origin(
        set=name,
        dataset=baseline_set.dataset,
        where=baseline_set.where,
        members=tuple(member.sha256 for member in result.selection.members),
        layer=result.selection.layer,
        definition=result.selection.definition,
        lake_path=result.lake_path,
        lake_version=result.lake_version,
    )
    identities = rows["structure_id"].to_numpy()[belongs]
    return fit_baseline(identities, vectors[belongs], origin, settings)


def _shared(baseline: Baseline, result: OodScores) -> tuple[str, ...]:
    """Say which sets hold structures of the baseline, which are not their own neighbours."""
    said = []
    for (name,), rows in result.scores.group_by("set", maintain_order=True):
        n_shared = int(np.isin(rows["structure_id"].to_numpy(), baseline.identities).sum())
        if n_shared and name != baseline.origin.set:
            said.append(
                f"{n_shared:,} of the {len(rows):,} structures of {name} are in the baseline "
                f"{baseline.origin.set} too: it was fitted on them, and they are not their own "
                "neighbours."
            )
    return tuple(said)
