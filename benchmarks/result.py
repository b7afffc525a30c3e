"""What was measured: a figure of one contender, beside the first one's and beside its goal."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Quantity:
    """Something that is measured."""

    name: str
    unit: str
    is_better_larger: bool = False


SPEED_FRAMES = Quantity("speed", "frames/s", is_better_larger=True)
SPEED_BYTES = Quantity("speed", "MB/s", is_better_larger=True)
SPEED_READS = Quantity("speed", "structures/s", is_better_larger=True)
SPEED_COMMITS = Quantity("speed", "commits/s", is_better_larger=True)
TIME = Quantity("time", "s")
SIZE = Quantity("size on disk", "MB")
MEMORY_TREE = Quantity("peak memory, all processes", "MB")
MEMORY_PROCESS = Quantity("peak memory, largest process", "MB")
MISSING = Quantity("commits lost or failed", "commits")


@dataclass(frozen=True)
class Goal:
    """What is to be reached: so many times the contender's figure, or at most so much itself."""

    least_ratio: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        if self.least_ratio is not None:
            return f"ratio ≥ {self.least_ratio:g}"
        return f"≤ {self.most:g}"

    def is_met(self, figure: float, ratio: float | None) -> bool:
        """Whether a figure and its ratio reach the goal."""
        if self.least_ratio is not None:
            return ratio is not None and ratio >= self.least_ratio
        return self.most is None or figure <= self.most


@dataclass(frozen=True)
class Result:
    """The figures of one contender for one quantity.

    ``ours`` is the median of the first contender, which is atomlake; None where there is nothing to
    compare. ``note`` stands where there are no figures.
    """

    question: str
    contender: str
    quantity: Quantity | None
    values: tuple[float, ...] = ()
    ours: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def figure(self) -> float | None:
        """The median."""
        return median(self.values) if self.values else None

    @property
    def ratio(self) -> float | None:
        """How many times better atomlake is than this contender."""
        if self.figure is None or self.ours is None or self.quantity is None:
            return None
        better, worse = (self.ours, self.figure)
        if not self.quantity.is_better_larger:
            better, worse = worse, better
        return better / worse if worse else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None or self.figure is None:
            return None
        return self.goal.is_met(self.figure, self.ratio)

    def as_dict(self) -> dict[str, object]:
        """Everything, for machines."""
        return {
            "question": self.question,
            "contender": self.contender,
            "quantity": self.quantity and self.quantity.name,
            "unit": self.quantity and self.quantity.unit,
            "median": self.figure,
            "least": min(self.values, default=None),
            "greatest": max(self.values, default=None),
            "n": len(self.values),
            "ratio": self.ratio,
            "goal": self.goal and str(self.goal),
            "is_met": self.is_met,
            "note": self.note,
        }
