"""What tells losses and regions apart: colour, and always something beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Colours of Okabe and Ito, without yellow, which is pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p")
DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4, 1.5),
    (1, 1.2),
    (4, 1.2, 1, 1.2),
    (6, 1.5, 2, 1.5),
    (2, 1),
    (6, 1.2, 1, 1.2, 1, 1.2),
)
LONGEST_NAME = 22


@dataclass(frozen=True)
class Look:
    """How one thing is drawn, in every panel of every figure."""

    colour: str
    marker: str = "o"
    dashes: tuple[float, ...] = ()
    hatch: str = ""

    @property
    def line_style(self) -> tuple[int, tuple[float, ...]] | str:
        """The dashes as matplotlib takes them."""
        return (0, self.dashes) if self.dashes else "-"


REGIONS = {
    "defect": Look("#D55E00"),
    "core": Look("#D55E00"),
    "shell": Look("#E69F00", hatch="////"),
    "bulk": Look("#56B4E9", dashes=(4, 1.5), hatch="...."),
    "ratio": Look("#999999", hatch="xxxx"),
}


def looks_of(losses: Sequence[str]) -> dict[str, Look]:
    """A look for each loss, by its place; markers and dashes go round at other paces than colours.

    With 77 losses the first look comes again.
    """
    return {
        loss: Look(
            COLOURS[place % len(COLOURS)],
            MARKERS[place % len(MARKERS)],
            DASHES[(place + place // len(COLOURS)) % len(DASHES)],
        )
        for place, loss in enumerate(losses)
    }


def short(name: str, longest: int = LONGEST_NAME) -> str:
    """A name on one line; of a long one the beginning and the end, which mostly differ."""
    line = " ".join(name.split())
    if len(line) <= longest:
        return line
    head = longest * 3 // 5
    return f"{line[:head]}…{line[-(longest - head - 1) :]}"
