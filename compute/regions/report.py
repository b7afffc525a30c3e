"""What a job of regions did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compute.regions.tasks import NO_REGIONS
from lake.counted import counted

_SHOWN_REASONS = 3


@dataclass(frozen=True)
class RegionReport:
    """What was labelled, and what was not.

    Attributes
    ----------
    schemes
        Names in the table.
    n_chosen
        Structures it was about, done or not.
    n_missing
        Those that had no regions when it began.
    n_added
        Those committed; the others were labelled by another job meanwhile.
    kinds
        How many of those labelled hold which kind of defect.
    reasons
        Why the scheme does not apply, and to how many; numbers in a reason are ``N``.
    n_dropped
        Rows taken out before, because they were made otherwise.
    n_too_large
        Structures left without regions, because there was no memory for their neighbours.
    is_stopped
        Whether it was told to end before everything was done.
    """

    schemes: tuple[str, str]
    n_chosen: int
    n_missing: int
    n_added: int
    kinds: Mapping[str, int]
    reasons: Mapping[str, int]
    n_dropped: int
    n_too_large: int
    n_atoms: int
    seconds: float
    version: int
    is_stopped: bool

    @property
    def n_labelled(self) -> int:
        """Structures that were looked at."""
        return sum(self.kinds.values())

    @property
    def n_left(self) -> int:
        """Structures that still have no regions."""
        return max(self.n_missing - self.n_labelled, 0)

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        return vars(self) | {"n_labelled": self.n_labelled, "n_left": self.n_left}

    def text(self) -> str:
        """A summary for a person."""
        lines = []
        if self.n_dropped:
            rows = counted(self.n_dropped, "row")
            lines.append(f"Taken out before, as they were made otherwise: {rows}.")
        if not self.n_missing:
            nothing = "Nothing is missing."
            if not self.n_chosen:
                nothing = "No structure is chosen: the condition fits none."
            return "\n".join([*lines, nothing])
        rate = self.n_labelled / self.seconds if self.seconds else 0.0
        lines.append(
            f"{counted(self.n_labelled, 'structure')} labelled by {' and '.join(self.schemes)} in "
            f"{self.seconds:.1f} s ({rate:,.0f} structures/s); version {self.version}"
        )
        if self.kinds:
            lines.append(f"defects: {_counts(self.kinds)}")
        lines += _because(self.reasons)
        if self.n_added < self.n_labelled:
            others = self.n_labelled - self.n_added
            lines.append(f"Another job labelled {others:,} of them meanwhile.")
        if self.n_too_large:
            lines.append(
                f"Left without regions, for want of memory for their neighbours: "
                f"{self.n_too_large:,}. The same command tries them again; give it more memory or "
                "fewer --workers."
            )
        if self.is_stopped:
            lines.append(f"Stopped with {self.n_left:,} left. The same command goes on from here.")
        return "\n".join(lines)


def _counts(kinds: Mapping[str, int]) -> str:
    ordered = sorted(kinds.items(), key=lambda item: (item[0] == NO_REGIONS, -item[1], item[0]))
    return ", ".join(f"{kind} {count:,}" for kind, count in ordered)


def _because(reasons: Mapping[str, int]) -> list[str]:
    common = Counter(reasons).most_common()
    lines = [f"  {count:,} × {reason}" for reason, count in common[:_SHOWN_REASONS]]
    if len(common) > _SHOWN_REASONS:
        rest = sum(count for _, count in common[_SHOWN_REASONS:])
        lines.append(f"  {rest:,} for other reasons; see the column 'reason' of 'regions'")
    return lines
