"""Made-up answers about out-of-distribution structures: latents drawn at random, and their scores.

The sets are slabs: T1, the baseline, in clumps; T2 beside them, with a tail that lies far out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from queries.ood.baseline import BaselineScores, Settings
from queries.ood.baseline.scoring import fit_set, join_distances, measure
from queries.ood.result import IDENTITY, OodScores
from queries.ood.selection import Member, OodSelection, StructureSet

SCORE = "latent_variance_trace"
FACETS = ("100", "110", "111")
TERMINATIONS = ("Li", "La_code71", "Zr_code93")
N_BINS = 50


@dataclass(frozen=True)
class Sample:
    """How large an answer is, and what it lacks."""

    n: dict[str, int] = field(default_factory=lambda: {"T1": 600, "T2": 300})
    baseline: str | None = "T1"
    n_features: int = 24
    n_top: int = 30
    has_metadata: bool = True
    has_against: bool = True
    has_energies: bool = True


def embeddings(sample: Sample) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows as `structure_embeddings` gives them, and the vectors; hardness grows with distance."""
    random = np.random.default_rng(3)
    mixing = random.normal(size=(sample.n_features, sample.n_features))
    mixing *= 0.85 ** np.arange(sample.n_features)[:, None]
    clumps = random.normal(size=(4, sample.n_features)) * 2.5
    frames, vectors = [], []
    for number, (name, n) in enumerate(sample.n.items()):
        drawn = random.normal(size=(n, sample.n_features)) + clumps[random.integers(0, 4, n)]
        drawn[:, 0] += 1.5 * number * random.exponential(1.5, n)
        vectors.append(3 + drawn @ mixing)
        first = 10_000 * number
        frames.append(
            pl.DataFrame(
                {"set": name, "dataset": name.lower(), "structure_id": np.arange(first, first + n)}
            )
        )
    return pl.concat(frames), np.concatenate(vectors)


def answer(sample: Sample | None = None) -> OodScores:
    """An answer whose scores grow with the distance from the middle of T1."""
    sample = sample or Sample()
    rows, vectors = embeddings(sample)
    scores = _ranked(_scored(rows, vectors, sample), sample)
    chosen = scores.drop_nulls("rank").sort("rank").head(sample.n_top)
    selection = _selection(sample)
    bins = np.linspace(scores[SCORE].min(), scores[SCORE].max(), N_BINS + 1)
    cut_offs = {}
    if sample.baseline is not None:
        values = scores.filter(set=sample.baseline)[SCORE].to_numpy()
        cut_offs = {
            f"q{100 * q:.0f} of {sample.baseline}": float(np.quantile(values, q))
            for q in (0.9, 0.95, 0.99)
        }
    return OodScores(
        selection=selection,
        lake_path="lakes/llzo",
        lake_version=12,
        score=SCORE,
        scores=scores,
        chosen=chosen,
        statistics=_statistics(scores),
        histogram=_histogram(scores, bins),
        against=_against(scores, sample),
        metadata=("facet", "termination", "temperature", "strain") if sample.has_metadata else (),
        rule=f"Chosen are the {sample.n_top} structures with the greatest {SCORE}.",
        cut_offs=cut_offs,
        statements={"scores": "-- made up\nSELECT 1"},
        warnings=(),
    )


def measured(
    sample: Sample | None = None, settings: Settings | None = None, *, is_mapped: bool = True
) -> tuple[OodScores, BaselineScores]:
    """An answer with its distances joined, and what the baseline said."""
    sample = sample or Sample()
    result = answer(sample)
    rows, vectors = embeddings(sample)
    baseline = fit_set(result, rows, vectors, settings)
    found = measure(result, baseline, rows, vectors, is_mapped=is_mapped)
    return join_distances(result, found), found


def without_scores(result: OodScores, *names: str) -> OodScores:
    """The same, with NULL where a member predicted nothing."""
    nothing = [pl.lit(None, pl.Float64).alias(name) for name in names]
    return replace(result, scores=result.scores.with_columns(nothing))


def _scored(rows: pl.DataFrame, vectors: np.ndarray, sample: Sample) -> pl.DataFrame:
    random = np.random.default_rng(4)
    n = len(rows)
    middle = vectors[: next(iter(sample.n.values()))]
    away = np.linalg.norm((vectors - middle.mean(axis=0)) / middle.std(axis=0), axis=1)
    trace = 2e-3 * np.exp(0.25 * away) * random.lognormal(0, 0.15, n)
    energy = 1e-4 * trace**0.7 * 80 * random.lognormal(0, 0.3, n)
    more: dict[str, Any] = {
        "is_candidate": True,
        "is_baseline": rows["set"] == (sample.baseline or ""),
        "source": [f"cellrelaxed_LLZO_{i:04d}.cif" for i in range(n)],
        "frame": 0,
        "config_type": random.choice(["slab", "bulk"], n, p=[0.8, 0.2]),
        "formula": "La24Li56O96Zr16",
        "n_atoms": random.integers(600, 1200, n),
        "latent_variance_trace": trace,
        "latent_variance_mean": trace / sample.n_features,
        "latent_variance_trace_max": trace * random.uniform(4, 9, n),
        "latent_variance_trace_p95": trace * random.uniform(2, 3, n),
        "energy_disagreement": energy if sample.has_energies else None,
        "force_disagreement": energy * 60 if sample.has_energies else None,
    }
    scores = rows.with_columns(**{name: _column(value) for name, value in more.items()})
    floats = ("energy_disagreement", "force_disagreement")
    scores = scores.with_columns(pl.col(name).cast(pl.Float64) for name in floats)
    if not sample.has_metadata:
        return scores
    return scores.with_columns(
        facet=pl.Series(random.choice(FACETS, n)),
        termination=pl.Series(random.choice(TERMINATIONS, n)),
        temperature=pl.Series(random.choice([300.0, 600.0, 900.0], n)),
        strain=pl.Series(random.choice([-3.0, -1.5, 0.0, 2.0], n)),
    ).with_columns(pl.when(pl.col("strain") != 0).then("strain").alias("strain"))


def _column(value: Any) -> pl.Series | pl.Expr:
    is_whole = isinstance(value, np.ndarray | list | pl.Series)
    return pl.Series(value) if is_whole else pl.lit(value)


def _ranked(scores: pl.DataFrame, sample: Sample) -> pl.DataFrame:
    ordered = scores.select("structure_id", SCORE).sort(
        [SCORE, "structure_id"], descending=[True, False]
    )
    ranks = ordered.select("structure_id").with_row_index("rank", offset=1)
    ranks = ranks.with_columns(pl.col("rank").cast(pl.Int64))
    order = [*IDENTITY, "is_candidate", "is_baseline", "rank"]
    joined = scores.join(ranks, on="structure_id", maintain_order="left")
    return joined.select(*order, pl.exclude(order))


def _selection(sample: Sample) -> OodSelection:
    members = tuple(
        Member(
            f"mace-w{seed}",
            seed,
            hashlib.sha256(f"w{seed}".encode()).hexdigest(),
            "MACE_T1",
            seed,
            "foundation",
        )
        for seed in range(1, 5)
    )
    sets = tuple(StructureSet(name, name.lower()) for name in sample.n)
    definition = '{"engine": "mace", "layer": "last"}'
    return OodSelection(
        "MACE_T1", members, "last", definition, sample.n_features, sets, sample.baseline
    )


def _statistics(scores: pl.DataFrame) -> pl.DataFrame:
    return scores.group_by("set", maintain_order=True).agg(
        pl.lit("MACE_T1").alias("ensemble"),
        pl.lit(SCORE).alias("score"),
        pl.len().alias("n_structures"),
        pl.mean(SCORE).alias("mean"),
        pl.std(SCORE).alias("std"),
        *[pl.quantile(SCORE, q, "linear").alias(f"q{100 * q:.0f}") for q in (0.5, 0.9, 0.95, 0.99)],
    )


def _histogram(scores: pl.DataFrame, edges: np.ndarray) -> pl.DataFrame:
    frames = []
    for (name,), rows in scores.group_by("set", maintain_order=True):
        counts, _ = np.histogram(rows[SCORE].to_numpy(), edges)
        frames.append(
            pl.DataFrame(
                {
                    "ensemble": "MACE_T1",
                    "set": name,
                    "score": SCORE,
                    "bin": np.arange(N_BINS),
                    "low": edges[:-1],
                    "high": edges[1:],
                    "n_structures": counts,
                }
            )
        )
    return pl.concat(frames)


def _against(scores: pl.DataFrame, sample: Sample) -> pl.DataFrame:
    random = np.random.default_rng(5)
    other = scores.select(
        pl.lit("by-T2").alias("name"),
        pl.lit("MACE_T2").alias("ensemble"),
        "dataset",
        "structure_id",
        pl.col(SCORE) * pl.Series(random.lognormal(0.2, 0.25, len(scores))),
        "latent_variance_mean",
        "energy_disagreement",
        "force_disagreement",
    )
    return other if sample.has_against else other.clear()
