"""What an ingest did, source by source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ingest.frames.frames import Reject
from lake.counted import counted

SHOWN_REJECTS = 10


@dataclass(frozen=True)
class SourceReport:
    """The accounting of one source: frames_read = rows + duplicates + rejects.

    ``earlier_rejects`` are those of a file left alone, from when it was read.
    """

    uri: str
    frames_read: int
    rows: int
    duplicates: int
    rejects: int
    is_unchanged: bool = False
    earlier_rejects: int = 0


def left_alone(unchanged: Mapping[str, int]) -> list[SourceReport]:
    """Reports of files that were read before, with their rejects back then."""
    return [
        SourceReport(uri, 0, 0, 0, 0, is_unchanged=True, earlier_rejects=rejects)
        for uri, rejects in unchanged.items()
    ]


class Report:
    """What every report tells of its sources and rejects.

    Attributes
    ----------
    version
        None when nothing was committed.
    is_refused
        Whether that was because of rejects.
    """

    sources: Sequence[SourceReport]
    rejects: Sequence[tuple[str, Reject]]
    version: int | None
    is_refused: bool

    def total(self, count: str) -> int:
        """Sum of one of the counts of frames over all sources."""
        return sum(getattr(source, count) for source in self.sources)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was refused, now or when a file left alone was read."""
        return not self.rejects and not self.total("earlier_rejects")

    def counts(self) -> dict[str, Any]:
        """The version and the counts of frames, for machines."""
        names = ("frames_read", "rows", "duplicates", "rejects")
        return {"version": self.version, **{name: self.total(name) for name in names}}

    def places(self) -> dict[str, Any]:
        """Every source and every reject, for machines."""
        return {
            "sources": [asdict(source) for source in self.sources],
            "rejected": [{"uri": uri, **asdict(reject)} for uri, reject in self.rejects],
        }

    def sentence(self, committed: str, where: str = "") -> str:
        """The counts, and what became of them: `committed`, if anything was."""
        counts = (
            f"{counted(self.total('frames_read'), 'frame')} read: {self.total('rows'):,} new, "
            f"{self.total('duplicates'):,} duplicates, {self.total('rejects'):,} rejected."
        )
        if self.is_refused:
            return f"{counts} Nothing was committed, because of --strict."
        if self.version is None:
            return f"{counts} Nothing to commit{where}."
        return f"{counts} {committed}"

    def reject_lines(self) -> list[str]:
        """The first rejects, and how many more there are."""
        lines = [place(uri, reject) for uri, reject in self.rejects[:SHOWN_REJECTS]]
        hidden = len(self.rejects) - SHOWN_REJECTS
        return [*lines, f"… and {hidden:,} more"] if hidden > 0 else lines


@dataclass(frozen=True)
class IngestReport(Report):
    """What an ingest did. ``version`` is None when nothing was committed."""

    dataset: str
    sources: Sequence[SourceReport]
    rejects: Sequence[tuple[str, Reject]]
    unmatched_names: Sequence[str]
    version: int | None
    is_refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "dataset": self.dataset,
            **self.counts(),
            **self.places(),
            "unmatched_names": list(self.unmatched_names),
        }

    def text(self) -> str:
        """A summary for a person."""
        committed = f"Committed to {self.dataset} as version {self.version}."
        lines = [self.sentence(committed, f" in {self.dataset}")]
        unchanged = sum(source.is_unchanged for source in self.sources)
        if unchanged:
            of_all = counted(len(self.sources), "file")
            lines.append(f"Read before and left alone: {unchanged:,} of {of_all}.")
        lines += [*self._earlier(), *self.reject_lines()]
        if self.rejects and not self.is_refused:
            lines.append("Rejected frames stand in the table 'rejects'.")
        return "\n".join([*lines, *self._unmatched()])

    def _unmatched(self) -> list[str]:
        names = self.unmatched_names
        if not names:
            return []
        said = "1 name does" if len(names) == 1 else f"{len(names):,} names do"
        lines = [
            f"{said} not fit --name-pattern; the structures are kept, with its keys as NULL:",
            *(f"  {name}" for name in names[:SHOWN_REJECTS]),
        ]
        hidden = len(names) - SHOWN_REJECTS
        return [*lines, f"  … and {hidden:,} more"] if hidden > 0 else lines

    def _earlier(self) -> list[str]:
        sources = [source for source in self.sources if source.earlier_rejects]
        lines = [
            f"{source.uri}: left alone. Frames rejected then: {source.earlier_rejects:,}, see "
            "rejects."
            for source in sources[:SHOWN_REJECTS]
        ]
        hidden = len(sources) - SHOWN_REJECTS
        return [*lines, f"… and {hidden:,} more"] if hidden > 0 else lines


def place(uri: str, reject: Reject) -> str:
    """Where a reject was, and why."""
    if reject.frame < 0:
        return f"{uri}: {reject.reason}"
    line = f" (line {reject.line})" if reject.line else ""
    return f"{uri}, frame {reject.frame}{line}: {reject.reason}"
