"""The page that every report is: what it is made of, and how it becomes HTML."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError
from lake.exports.output_file import output_stream
from lake.version import __version__
from queries.report.blocks import Block, Viewer

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "page.html.j2"
STYLE = "page.css"
SORTING = "sorting.js"


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


def write_page(page: Page, path: Path) -> Path:
    """Write a page as one HTML file that needs nothing beside it; the path of the file.

    The file is there as a whole or not at all.

    Raises
    ------
    InvalidInputError
        Jinja2 is not installed.
    StorageError
        The file cannot be written.
    """
    text = render(page)
    with output_stream(str(path)) as stream:
        stream.write(text.encode())
    return path


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
