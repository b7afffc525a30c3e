"""How far a job is, and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from compute.jobs.extent import Extent
from lake.counted import counted


@dataclass
class Part:
    """One model on one dataset in one worker: structures to be computed, and what became of them.

    ``skipped`` were computed by another job meanwhile. ``unkept`` are those of ``failed`` that had
    a prediction, so that no row holds the ``reason`` why they have no latents.
    """

    model: str
    dataset: str
    device: str = ""
    total: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    atoms: int = 0
    unkept: int = 0
    reason: str = ""


@dataclass
class Tally:
    """The parts of a job, kept up to date by what its workers tell."""

    n_missing: int
    parts: dict[tuple[int, str, str], Part] = field(default_factory=dict)

    def hear(self, worker: int, event: Mapping[str, Any]) -> None:
        """Take what a worker told."""
        if event["event"] == "progress":
            facts = {key: value for key, value in event.items() if key != "event"}
            self.parts[worker, event["model"], event["dataset"]] = Part(**facts)

    def count(self, name: str) -> int:
        """Sum of one of the counts over all parts."""
        return sum(getattr(part, name) for part in self.parts.values())

    @property
    def n_left(self) -> int:
        """Structures nobody has answered yet."""
        return max(self.n_missing - sum(self.count(n) for n in ("ok", "failed", "skipped")), 0)


@dataclass(frozen=True)
class JobReport:
    """What a job did. ``is_stopped`` says that it was told to end before everything was done.

    ``extent`` says what it was about when it began.
    """

    job_id: str
    task: str
    parts: Sequence[Part]
    extent: Extent
    n_left: int
    seconds: float
    version: int
    is_stopped: bool

    @property
    def n_missing(self) -> int:
        """Results that were missing when it began."""
        return self.extent.n_missing

    def total(self, count: str) -> int:
        """Sum of one of the counts over all parts."""
        return sum(getattr(part, count) for part in self.parts)

    @property
    def n_skipped(self) -> int:
        """Structures that other jobs computed meanwhile, also before a worker of this one began."""
        return max(self.n_missing - self.total("ok") - self.total("failed") - self.n_left, 0)

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        counts = {c: self.total(c) for c in ("ok", "failed", "atoms", "unkept")}
        extent = {
            "n_chosen": self.extent.n_chosen,
            "n_missing": self.extent.n_missing,
            "n_failed_before": self.extent.n_failed,
            "of_other_types": [asdict(each) for each in self.extent.of_other_types],
        }
        fields = {name: value for name, value in vars(self).items() if name != "extent"}
        counts["skipped"] = self.n_skipped
        return fields | extent | counts | {"parts": [asdict(part) for part in self.parts]}

    def text(self) -> str:
        """A summary for a person."""
        extent = self.extent
        if not extent.n_missing:
            return extent.nothing_text()
        ok, failed = self.total("ok"), self.total("failed")
        rate = self.total("atoms") / self.seconds if self.seconds else 0.0
        took = f"{self.seconds:.1f} s ({rate:,.0f} atoms/s); version {self.version}"
        lines = [f"{counted(ok, 'structure')} computed, {failed:,} failed, in {took}"]
        if self.n_skipped:
            lines.append(f"Another job computed {self.n_skipped:,} of them meanwhile.")
        if failed > self.total("unkept"):
            lines.append(
                "Failed structures stand in the table 'predictions' with the reason in 'error'; "
                "'atomlake compute retry --failed' tries them again."
            )
        lines += self._unkept()
        if self.is_stopped:
            lines.append(f"Stopped with {self.n_left:,} left. The same command goes on from here.")
        return "\n".join([*lines, *(each.text() for each in extent.of_other_types)])

    def _unkept(self) -> list[str]:
        return [
            f"{part.unkept:,} of {part.dataset} that failed for {part.model} have predictions, "
            f"which stay; their latents are not stored, and no row says why: {part.reason}. They "
            "are tried again each time."
            for part in self.parts
            if part.unkept
        ]
