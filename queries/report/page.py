"""The page that every report is: what it is made of, and how it becomes HTML."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError
from lake.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "page.html.j2"
STYLE = "page.css"
SORTING = "sorting.js"
PNG_WIDTH = slice(16, 20)  # bytes of the file, the highest first
PIXELS_PER_POINT = 2  # of the figures' 300 dpi; those of two columns fill the page


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes
    ----------
    text
        What is shown.
    key
        What it is sorted by: a number where the column is one. None is NULL, which comes last.
    """

    text: str
    key: str | None


@dataclass(frozen=True)
class Heading:
    """The head of a column."""

    name: str
    unit: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """A table that readers can sort."""

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Picture:
    """A PNG with its caption drawn into it; who does not see it hears `caption`."""

    title: str
    caption: str
    content: bytes = field(repr=False)
    kind: str = field(default="picture", init=False)

    @property
    def address(self) -> str:
        """The picture as a data URI."""
        return f"data:image/png;base64,{b64encode(self.content).decode()}"

    @property
    def width_px(self) -> int:
        """How wide it is shown: letters of all figures are of one size then, and sharp."""
        return int.from_bytes(self.content[PNG_WIDTH]) // PIXELS_PER_POINT


@dataclass(frozen=True)
class Listing:
    """Text that is shown as it stands, such as SQL."""

    title: str
    text: str
    kind: str = field(default="listing", init=False)


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    facts: tuple[tuple[str, str], ...]
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str
    kind: str = field(default="words", init=False)


@dataclass(frozen=True)
class Viewer:
    """An interactive map with structures beside it; at most one on a page.

    Attributes
    ----------
    data
        JSON, as the scripts of the page expect it.
    """

    title: str
    caption: str
    data: str
    kind: str = field(default="viewer", init=False)

    @property
    def quoted_data(self) -> str:
        """The data as it may stand in HTML, where no text in it can end the element."""
        return self.data.replace("<", "\\u003c")


Block = Table | Picture | Listing | Facts | Words | Viewer


@dataclass(frozen=True)
class Section:
    """A part of a page, with a line in its contents."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes
    ----------
    warnings
        What readers must know before they read a number; shown first.
    sections
        In the order shown.
    scripts
        JavaScript beside that which sorts tables. It finds nothing on the network: the page's own
        policy forbids it.
    """

    title: str
    question: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    scripts: tuple[str, ...] = ()


def render(page: Page) -> str:
    """The page as HTML: every text in it is escaped.

    Raises
    ------
    InvalidInputError
        Jinja2 is not installed.
    """
    from markupsafe import Markup

    template = _template()
    style = _resource(STYLE)
    scripts = (_resource(SORTING), *page.scripts)
    return template.render(
        page=page,
        style=Markup(style),  # noqa: S704 - ours, as the scripts are
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        mark=Markup,
        policy=_policy(style, scripts, has_viewer=_has_viewer(page)),
        version=__version__,
    )


def _template() -> Template:
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise InvalidInputError(
            "A report needs Jinja2, which is not installed. "
            "Install it with: pip install 'atomlake[plots]', or leave the report out."
        ) from None
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_resource(TEMPLATE))


def _resource(name: str) -> str:
    return (files("queries.report") / name).read_text(encoding="utf-8")


def _has_viewer(page: Page) -> bool:
    return any(isinstance(block, Viewer) for part in page.sections for block in part.blocks)


def _policy(style: str, scripts: tuple[str, ...], *, has_viewer: bool) -> str:
    """What the browser may run and load: what stands in the page when it is written, no more.

    A viewer makes styles of its own, pictures to save, and programs for the graphics card out of
    text. It has no more of the network than the rest, which is nothing.
    """
    allowed = " ".join(_checksum(script) for script in scripts)
    styles, pictures, more = _checksum(style), "data:", ""
    if has_viewer:
        styles, pictures, more = "'unsafe-inline'", "data: blob:", " 'unsafe-eval'"
    return (
        f"default-src 'none'; img-src {pictures}; style-src {styles}; script-src {allowed}{more}; "
        "base-uri 'none'; form-action 'none'"
    )


def _checksum(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
