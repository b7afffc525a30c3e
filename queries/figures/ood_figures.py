"""All figures of an answer about out-of-distribution structures, as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from queries.figures.canvas import FileFacts, keywords_of, save_all
from queries.figures.ood_boxes import boxes_note, draw_boxes_by_metadata
from queries.figures.ood_captions import describe_ood, ood_caption, ood_title
from queries.figures.ood_histograms import bins_note, draw_histograms
from queries.figures.ood_maps import draw_maps, maps_note
from queries.figures.ood_scatter import draw_scatter
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Figure
    from queries.ood.baseline.scoring import BaselineScores


def draw_ood(result: OodScores, folder: Path, measured: BaselineScores | None = None) -> list[Path]:
    """Draw all figures of an answer, each as PNG and as PDF, at the widths of a journal.

    Parameters
    ----------
    result
        With the distances of `measured` joined, if they are to be drawn.
    folder
        Where the files go; it is made where there is none.
    measured
        What a baseline said; without one there are no maps.

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
    facts = partial(ood_facts, result=result, measured=measured)
    return save_all(_drawings(result, measured), facts, folder)


def ood_facts(name: str, result: OodScores, measured: BaselineScores | None = None) -> FileFacts:
    """What stands in the metadata of a figure, conditions in full."""
    keywords = keywords_of(result.lake_path, result.lake_version, describe_ood(result))
    return FileFacts(ood_title(name), full_caption(name, result, measured), keywords)


def full_caption(name: str, result: OodScores, measured: BaselineScores | None = None) -> str:
    """The caption of a figure as a page or its metadata have it."""
    note = ""
    if name == "ood_maps" and measured is not None:
        note = maps_note(measured)
    elif name == "ood_boxes":
        note = boxes_note(result)
    elif name == "ood_histograms":
        note = bins_note(result)
    return ood_caption(name, result, note)


def _drawings(
    result: OodScores, measured: BaselineScores | None
) -> Mapping[str, Callable[[], Figure]]:
    """What draws each figure, by its name."""
    drawings = {
        "ood_histograms": partial(draw_histograms, result),
        "ood_boxes": partial(draw_boxes_by_metadata, result),
        "ood_scatter": partial(draw_scatter, result),
    }
    if measured is not None:
        drawings["ood_maps"] = partial(draw_maps, result, measured)
    return drawings
