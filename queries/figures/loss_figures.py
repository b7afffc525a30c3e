"""All figures of a comparison of losses, as files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from queries.figures.canvas import FileFacts, keywords_of, save_all
from queries.figures.captions import caption_of, describe, title_of
from queries.figures.distributions import draw_distributions
from queries.figures.publication import draw_publication
from queries.figures.regions import draw_ensemble, draw_reproducibility, draw_three_regions
from queries.figures.training import draw_training
from queries.losses.result import LossComparison

if TYPE_CHECKING:
    from queries.figures.canvas import Figure

DRAWN: dict[str, Callable[[LossComparison], Figure]] = {
    "ensemble_comparison": draw_ensemble,
    "reproducibility": draw_reproducibility,
    "error_distributions": draw_distributions,
    "three_regions": draw_three_regions,
    "training_analysis": draw_training,
    "publication": draw_publication,
}


def draw_losses(comparison: LossComparison, folder: Path) -> list[Path]:
    """Draw all figures of a comparison, each as PNG and as PDF, at the widths of a journal.

    Parameters
    ----------
    folder
        Where the files go; it is made where there is none.

    Returns
    -------
    The files, a PNG and a PDF per figure.

    Raises
    ------
    InvalidInputError
        matplotlib is not installed.
    StorageError
        The files cannot be written.
    """
    drawings = {name: partial(draw, comparison) for name, draw in DRAWN.items()}
    return save_all(drawings, partial(file_facts, comparison=comparison), folder)


def file_facts(name: str, comparison: LossComparison) -> FileFacts:
    """What stands in the metadata of a figure."""
    selection = describe(comparison.selection)
    keywords = keywords_of(comparison.lake_path, comparison.lake_version, selection)
    return FileFacts(title_of(name), caption_of(name, comparison), keywords)
