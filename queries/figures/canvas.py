"""The only door to matplotlib: figures in the style of the project, written as PNG and PDF."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError, StorageError
from lake.exports.output_file import output_stream
from lake.version import __version__

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes  # drawing modules have the types from here
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Figure
    from matplotlib.lines import Line2D as Line2D

SINGLE_COLUMN_INCH = 3.5
DOUBLE_COLUMN_INCH = 7.2
SHORT_AXIS = 100.0  # from lowest to highest; a longer one has room for whole decades only
STYLE = "atomlake.mplstyle"


@dataclass(frozen=True)
class FileFacts:
    """What stands in the metadata of a figure's files."""

    title: str
    caption: str
    keywords: str


@contextmanager
def journal_style() -> Iterator[None]:
    """The style within which figures are drawn and written, whatever the user's own settings are.

    matplotlib's settings belong to the process: two threads cannot draw at the same time.

    Raises
    ------
    InvalidInputError
        matplotlib is not installed.
    """
    try:
        import matplotlib.style
    except ImportError:
        raise InvalidInputError(
            "Figures need matplotlib, which is not installed. "
            "Install it with: pip install 'atomlake[plots]', or leave figures out: --no-figures"
        ) from None
    with (
        as_file(files("queries.figures") / STYLE) as style,
        matplotlib.style.context(["default", style]),
        warnings.catch_warnings(),
    ):
        # A name in a script that the typeface does not have is drawn as boxes, and stands in full
        # in the metadata.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(width_inch: float, height_inch: float) -> Figure:
    """An empty figure; only within `journal_style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inch, height_inch), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def keywords_of(lake_path: str, lake_version: int, selection: str) -> str:
    """What a figure was made from, as its metadata have it."""
    return f"atomlake {__version__}; lake {lake_path}; lake version {lake_version}; {selection}"


def save_all(
    drawings: Mapping[str, Callable[[], Figure]],
    facts: Callable[[str], FileFacts],
    folder: Path,
) -> list[Path]:
    """Draw figures one after the other, and write each as PNG and as PDF.

    Parameters
    ----------
    drawings
        What draws a figure, by its name, which is that of its files.
    facts
        What stands in the metadata of the figure of a name.
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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder}: {error.strerror or error}. Expected a folder for figures. Choose another, "
            "or move away what is there."
        ) from error
    written = []
    with journal_style():
        for name, draw in drawings.items():
            written += save(draw(), folder / name, facts(name))
    return written


def save(figure: Figure, stem: Path, facts: FileFacts) -> list[Path]:
    """Write a figure as PNG and as PDF; the same figure gives the same bytes.

    Parameters
    ----------
    stem
        Path without its ending.

    Returns
    -------
    The PNG and the PDF.

    Raises
    ------
    StorageError
        The files cannot be written.
    """
    maker = f"atomlake {__version__}"
    metadata: dict[str, dict[str, str | None]] = {
        "png": {"Description": facts.caption, "Software": maker},
        "pdf": {"Subject": facts.caption, "Creator": maker, "CreationDate": None},
    }
    figure.draw_without_rendering()  # finds the layout, which both files then share
    figure.set_layout_engine(None)  # else each file draws once more for nothing
    written = []
    for ending, more in metadata.items():
        path = stem.parent / f"{stem.name}.{ending}"
        with output_stream(str(path)) as stream:
            named = {"Title": facts.title, "Keywords": facts.keywords, **more}
            figure.savefig(stream, format=ending, metadata=named)
        written.append(path)
    return written


def number_log_axis(axis: Axis, *, is_short: bool) -> None:
    """Write plain numbers on a logarithmic axis, within decades too if it is short."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if is_short else (1,), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
