"""What stands on the page of a report: tables, pictures, listings, facts, words and a viewer."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

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
