"""All figures of a comparison of losses, as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lake.version import __version__
from queries.figures.canvas import FileFacts, journal_style, save
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
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with journal_style():
        for name, draw in DRAWN.items():
            written += save(draw(comparison), folder / name, file_facts(name, comparison))
    return written


def file_facts(name: str, comparison: LossComparison) -> FileFacts:
    """What stands in the metadata of a figure."""
    keywords = (
        f"atomlake {__version__}; lake {comparison.lake_path}; lake version "
        f"{comparison.lake_version}; {describe(comparison.selection)}"
    )
    return FileFacts(title_of(name), caption_of(name, comparison), keywords)
