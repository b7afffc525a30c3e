"""What an ingest of training runs did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ingest.frames.frames import Reject
from ingest.landing.report import SHOWN_REJECTS, SourceReport
from lake.counted import counted


@dataclass(frozen=True)
class RunReport:
    """A run that was read: its place, its state, and the values that were new."""

    project: str
    run_id: str
    name: str
    state: str
    new_values: int


@dataclass(frozen=True)
class RunsReport:
    """What an ingest of training runs did. ``versions`` is empty when nothing was committed.

    Counts are of values and runs: frames_read = rows + duplicates + rejects, for every source.

    Attributes
    ----------
    kinds
        How many of the values read were numbers, texts, media and so on.
    notes
        What there is to say of a source, as (uri, sentence).
    left_alone
        Runs of a server that the lake had whole.
    """

    sources: Sequence[SourceReport] = ()
    runs: Sequence[RunReport] = ()
    rejects: Sequence[tuple[str, Reject]] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[tuple[str, str]] = ()
    versions: Sequence[int] = ()
    left_alone: int = 0
    is_refused: bool = False

    def total(self, count: str) -> int:
        """Sum of one of the counts over all sources."""
        return sum(getattr(source, count) for source in self.sources)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was refused, now or when a file left alone was read."""
        return not self.rejects and not self.total("earlier_rejects")

    @property
    def version(self) -> int | None:
        """The last version committed."""
        return self.versions[-1] if self.versions else None

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        counts = {c: self.total(c) for c in ("frames_read", "rows", "duplicates", "rejects")}
        return {
            "version": self.version,
            **counts,
            "kinds": dict(self.kinds),
            "runs": [asdict(run) for run in self.runs],
            "left_alone": self.left_alone,
            "sources": [asdict(source) for source in self.sources],
            "rejected": [{"uri": uri, **asdict(reject)} for uri, reject in self.rejects],
            "notes": [{"uri": uri, "note": note} for uri, note in self.notes],
        }

    def text(self) -> str:
        """A summary for a person."""
        lines = [self._sentence()]
        if self.kinds:
            counts = sorted(self.kinds.items(), key=lambda item: (-item[1], item[0]))
            lines.append(f"Values: {', '.join(f'{n:,} {kind}' for kind, n in counts)}.")
        if self.left_alone:
            lines.append(f"{counted(self.left_alone, 'run')} had been read whole: left alone.")
        for source in self.sources:
            if source.is_unchanged:
                n = source.earlier_rejects
                then = f" Rejected then: {n:,}, see rejects." if n else ""
                lines.append(f"{source.uri} was read before: left alone.{then}")
        lines += _shown([f"{uri}: {note}" for uri, note in self.notes])
        lines += _shown([_place(uri, reject) for uri, reject in self.rejects])
        if self.rejects and not self.is_refused:
            lines.append("What was rejected stands in the table 'rejects'.")
        return "\n".join(lines)

    def _sentence(self) -> str:
        counts = (
            f"{counted(len(self.runs), 'run')} and "
            f"{counted(sum(self.kinds.values()), 'value')} read: {self.total('rows'):,} new, "
            f"{self.total('duplicates'):,} duplicates, {self.total('rejects'):,} rejected."
        )
        if self.is_refused:
            return f"{counts} Nothing was committed, because of --strict."
        if not self.versions:
            return f"{counts} Nothing to commit."
        projects = ", ".join(sorted({run.project for run in self.runs}))
        return f"{counts} Committed to {projects or 'rejects'} as version {self.version}."


def joined(reports: Sequence[RunsReport]) -> RunsReport:
    """Several reports as one."""
    kinds: dict[str, int] = {}
    for report in reports:
        for kind, count in report.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + count
    return RunsReport(
        [source for report in reports for source in report.sources],
        [run for report in reports for run in report.runs],
        [reject for report in reports for reject in report.rejects],
        kinds,
        [note for report in reports for note in report.notes],
        [version for report in reports for version in report.versions],
        sum(report.left_alone for report in reports),
        any(report.is_refused for report in reports),
    )


def _shown(lines: list[str]) -> list[str]:
    hidden = len(lines) - SHOWN_REJECTS
    return lines[:SHOWN_REJECTS] + ([f"… and {hidden:,} more"] if hidden > 0 else [])


def _place(uri: str, reject: Reject) -> str:
    line = f", line {reject.line}" if reject.line else ""
    return f"{uri}{line}: {reject.reason}"
