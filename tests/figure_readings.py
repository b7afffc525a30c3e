"""What stands in a figure, read back from what was drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from queries.figures.canvas import journal_style

MEV = 1000.0
NAMES_OF_USERS = ("<script>alert(1)</script>", "cost $5 and $6", "two\nlines", "损失", "x" * 80)


def in_style() -> Iterator[None]:
    """A fixture of modules that draw: figures look as journals want them."""
    with journal_style():
        yield


def bars_by_axis(panel: Any) -> dict[str, float]:
    """Heights of the bars of a panel by what the axis says under each, not by names of bars."""
    names = [text.get_text() for text in panel.get_xticklabels()]
    places = panel.get_xticks()
    found = {}
    for patch in panel.patches:
        if patch.get_height() > 0:
            middle = patch.get_x() + patch.get_width() / 2
            found[names[int(np.argmin(np.abs(places - middle)))]] = patch.get_height()
    return found


def texts_of(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def error_bars(figure: Any) -> int:
    from matplotlib.container import ErrorbarContainer

    return sum(
        isinstance(container, ErrorbarContainer)
        for panel in figure.axes
        for container in panel.containers
    )


def drawn_texts(figure: Any) -> list[Any]:
    """The texts on the page: matplotlib keeps ticks beyond the limits of an axis, undrawn."""
    from matplotlib.text import Text

    kept = set()
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            kept |= {*axis.findobj(Text)}
            if panel.axison:
                shown = axis._update_ticks()
                kept -= {axis.label, *[label for t in shown for label in (t.label1, t.label2)]}
    texts = [text for text in figure.findobj(Text) if text not in kept]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]
