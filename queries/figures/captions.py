"""What stands under a figure: what it shows, on how many structures and seeds, and from where."""

from __future__ import annotations

from lake.version import __version__
from queries.losses.result import LossComparison
from queries.losses.selection import Selection

LONGEST_CONDITION = 180

# File name, title, and what a reader needs to know to read it.
FIGURES = {
    "ensemble_comparison": (
        "Force error at the defect and in the bulk",
        """Mean norm of the force error, and its ratio, averaged over structures and seeds.
        {spread}""",
    ),
    "reproducibility": (
        "How much the seed matters",
        """Coefficient of variation: standard deviation over the means of the seeds, divided by
        their mean.""",
    ),
    "error_distributions": (
        "Distribution of the force errors of single atoms",
        """Share of the atoms of a region per factor of ten in the error; vertical lines: medians.
        Atoms of one structure are not independent.""",
    ),
    "three_regions": (
        "Force error by distance from the defect",
        """Mean norm of the force error in core, shell and bulk, averaged over structures and
        seeds. {spread}""",
    ),
    "training_analysis": (
        "Training",
        """Above: mean over seeds; bands: from the lowest to the highest seed. Values of different
        loss functions do not compare; the force error does. Below: standard deviation over seeds
        by their mean (bold: running mean), and last values; open symbols: runs that are not known
        to have finished. Curves of more than 300 places are averaged over neighbours.""",
    ),
    "publication": (
        "Comparison of losses",
        """a, b: mean norm of the force error at the defect and in the bulk, averaged over
        structures and seeds; c: their ratio. {spread} d: median,
        quartiles, and 5th to 95th percentile over structures and seeds. e: coefficient of
        variation over seeds. f: mean ± standard deviation over seeds. g, h: mean over seeds, and
        range of the seeds; values of different loss functions do not compare, and more than 300
        places are averaged over neighbours. i: paired sign-flip test of the errors at the defect,
        seeds averaged; Holm-corrected p; ▼ the row has the lower error, ▲ the higher,
        ≈ p ≥ 0.05.""",
    ),
}


def title_of(figure: str) -> str:
    """The title of a figure."""
    return FIGURES[figure][0]


def caption_of(figure: str, comparison: LossComparison) -> str:
    """The whole caption of a figure, but for its title."""
    return f"{note_of(figure, comparison)} {source_of(comparison)}"


def footnote_of(figure: str, comparison: LossComparison) -> str:
    """The caption as it is drawn into a figure: a long condition is cut, and says so."""
    return f"{note_of(figure, comparison)} {source_of(comparison, LONGEST_CONDITION)}"


def note_of(figure: str, comparison: LossComparison) -> str:
    """What a figure shows, and n."""
    note = " ".join(FIGURES[figure][1].split())
    return f"{note.format(spread=_spread(comparison))} {_counts(figure, comparison)}"


def source_of(comparison: LossComparison, longest_condition: int | None = None) -> str:
    """The selection and the version of the lake it was taken from."""
    return (
        f"{describe(comparison.selection, longest_condition)}; {comparison.lake_path} at version "
        f"{comparison.lake_version}; atomlake {__version__}."
    )


def describe(selection: Selection, longest_condition: int | None = None) -> str:
    """A selection as words."""
    words = [f"Dataset {selection.dataset}", f"labels {selection.label_set}"]
    if selection.where is not None:
        words.append(f"where {_cut(selection.where, longest_condition)}")
    if selection.limit is not None:
        words.append(f"the first {selection.limit} in file order")
    words.append(f"regions {selection.scheme}")
    if selection.models:
        words.append(f"models {', '.join(selection.models)}")
    if selection.losses:
        words.append(f"losses {', '.join(selection.losses)}")
    if selection.seeds:
        words.append(f"seeds {', '.join(map(str, selection.seeds))}")
    if selection.is_partial_allowed:
        words.append("partial coverage allowed")
    return "; ".join(words)


def seeds_of(comparison: LossComparison) -> tuple[int, int]:
    """The least and the greatest number of seeds of a loss."""
    return _range(comparison, "n_seeds")


def _spread(comparison: LossComparison) -> str:
    least, greatest = seeds_of(comparison)
    if greatest < 2:
        return "No error bars: one seed per loss."
    exception = "" if least > 1 else " (none where a loss has one seed)"
    return (
        f"Error bars: standard deviation over the means of the seeds{exception}; circles: the "
        "seeds."
    )


def _counts(figure: str, comparison: LossComparison) -> str:
    structures = _many(*_range(comparison, "n_structures"), "structure")
    structures += _structures_with_regions(figure, comparison)
    seeds = _many(*seeds_of(comparison), "seed")
    n_losses = len(comparison.tables["ensemble_summary"])
    losses = _many(n_losses, n_losses, "loss", "losses")
    return f"n = {structures} × {seeds} of {losses}."


def _structures_with_regions(figure: str, comparison: LossComparison) -> str:
    """How many structures have atoms of each region, where that is not all of them."""
    selection = comparison.selection
    has_three = figure == "three_regions"
    scheme = selection.three_regions if has_three else selection.two_regions
    regions = ("core", "shell", "bulk") if has_three else ("defect", "bulk")
    errors = comparison.tables["errors_by_loss"].filter(scheme=scheme)
    counts = {}
    for region in regions:
        found = errors.filter(region=region)["n_structures"].to_list() or [0]
        counts[region] = (min(found), max(found))
    if set(counts.values()) == {_range(comparison, "n_structures")}:
        return ""
    words = [f"{region} in {_number(*count)}" for region, count in counts.items()]
    return f" (atoms of {', '.join(words)})"


def _range(comparison: LossComparison, column: str) -> tuple[int, int]:
    counts = comparison.tables["ensemble_summary"][column].to_list()
    return min(counts, default=0), max(counts, default=0)


def _many(least: int, greatest: int, one: str, many: str | None = None) -> str:
    return f"{_number(least, greatest)} {one if greatest == 1 else many or f'{one}s'}"


def _number(least: int, greatest: int) -> str:
    return f"{least:,}" if least == greatest else f"{least:,} to {greatest:,}"


def _cut(condition: str, longest: int | None) -> str:
    line = " ".join(condition.split())
    if longest is None or len(line) <= longest:
        return line
    return f"{line[:longest]}… (in full in the metadata of this file)"
