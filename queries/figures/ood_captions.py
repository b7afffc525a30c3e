"""What stands under the figures of out-of-distribution structures: what they show, n, whence."""

from __future__ import annotations

from lake.version import __version__
from queries.ood.result import OodScores
from queries.ood.selection import StructureSet

LONGEST_CONDITION = 120

# Title, and what a reader needs to know to read it.
FIGURES = {
    "ood_histograms": (
        "Scores of the sets",
        """Structures by score, counts on a logarithmic axis. Lines: cut-offs, and how many
        structures of the set lie strictly above.""",
    ),
    "ood_boxes": (
        "Scores by metadata",
        """Median, quartiles, and 5th to 95th percentile of the score over the structures that a
        value of the metadata belongs to. Colours and hatches: the sets, as the first panel has
        them.""",
    ),
    "ood_scatter": (
        "Scores against each other",
        """A point is a structure; rings: the chosen; ρ: Spearman's rank correlation. Dashed: equal
        scores of two ensembles.""",
    ),
    "ood_maps": (
        "Where the structures lie in the space of latents",
        """A point is a structure, by its latents averaged over atoms and members; rings: the
        chosen. a: the widest principal components of the baseline. b: t-SNE, in which what lies
        together is alike, and distances mean nothing. c: Gaussian mixture fitted on the baseline,
        along the first two of its own components; contours: its density there, each ten times
        thinner than the one within. d: k-means of the latents of the most uncertain
        candidates.""",
    ),
}
# Names of scores as an axis says them, and what they are multiplied by.
AXES = {
    "latent_variance_trace": ("Latent variance, trace", 1.0),
    "latent_variance_mean": ("Latent variance, mean", 1.0),
    "latent_variance_trace_max": ("Latent variance, greatest atom", 1.0),
    "latent_variance_trace_p95": ("Latent variance, 95 % of atoms", 1.0),
    "latent_variance_aligned": ("Latent variance, members aligned", 1.0),
    "energy_disagreement": ("Energy disagreement (meV/atom)", 1000.0),
    "force_disagreement": ("Force disagreement (meV/Å)", 1000.0),
    "d_latent": ("Distance from the centre", 1.0),
    "pca_residual": ("Distance from the components", 1.0),
    "mahalanobis": ("Mahalanobis distance", 1.0),
    "mahalanobis_squared": ("Mahalanobis distance, squared", 1.0),
    "mahalanobis_unreduced": ("Mahalanobis distance, unreduced", 1.0),
    "mahalanobis_unreduced_squared": ("Mahalanobis distance, unreduced, squared", 1.0),
    "knn_kth_distance": ("Distance of the k-th neighbour", 1.0),
    "knn_mean_distance": ("Mean distance of k neighbours", 1.0),
    "negative_log_likelihood": ("−log likelihood (nats)", 1.0),
}


def ood_title(figure: str) -> str:
    """The title of a figure."""
    return FIGURES[figure][0]


def ood_caption(
    figure: str, result: OodScores, note: str = "", *, longest_condition: int | None = None
) -> str:
    """The caption of a figure but for its title: what it shows, n, the choice, and the source.

    Parameters
    ----------
    note
        What is particular to this drawing, such as what was left out.
    longest_condition
        Conditions are cut there, and say so; None leaves them whole.
    """
    shows = " ".join(FIGURES[figure][1].split())
    parts = (shows, note, _counts(result), describe_ood(result, longest_condition))
    return " ".join(part for part in parts if part)


def describe_ood(result: OodScores, longest_condition: int | None = None) -> str:
    """What was asked of which lake."""
    selection = result.selection
    names = ", ".join(member.model for member in selection.members)
    sets = "; ".join(_set(each, longest_condition) for each in selection.sets)
    baseline = "none" if selection.baseline is None else selection.baseline
    partial = "; partial coverage allowed" if selection.is_partial_allowed else ""
    return (
        f"Score {result.score}. {result.rule} Ensemble {selection.ensemble} ({names}), "
        f"layer {selection.layer}; {sets}; baseline {baseline}{partial}; {result.lake_path} at "
        f"version {result.lake_version}; atomlake {__version__}."
    )


def axis_of(score: str) -> tuple[str, float]:
    """What an axis calls a score, and the factor to the unit it says."""
    return AXES.get(score, (score, 1.0))


def _counts(result: OodScores) -> str:
    counts = dict(result.scores["set"].value_counts().iter_rows())
    each = [f"{counts.get(one.name, 0):,} of {one.name}" for one in result.selection.sets]
    text = f"n = {', '.join(each)}; {len(result.chosen):,} chosen."
    ids = result.scores.select("dataset", "structure_id")
    n_shared = ids.filter(ids.is_duplicated()).n_unique()
    if n_shared:
        text += (
            f" {n_shared:,} structures are in several sets: they count in each, and a point is in "
            "the look of the first."
        )
    return text


def _set(each: StructureSet, longest: int | None) -> str:
    words = f"set {each.name}" + (f" (dataset {each.dataset})" if each.name != each.dataset else "")
    if each.where is None:
        return words
    condition = " ".join(each.where.split())
    if longest is not None and len(condition) > longest:
        condition = f"{condition[:longest]}… (in full in the metadata of this file)"
    return f"{words} where {condition}"
