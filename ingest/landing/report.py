"""What an ingest did, source by source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ingest.frames.frames import Reject

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


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did. ``version`` is None when nothing was committed."""

    dataset: str
    sources: Sequence[SourceReport]
    rejects: Sequence[tuple[str, Reject]]
    unmatched_names: Sequence[str]
    version: int | None
    is_refused: bool = False

    def total(self, count: str) -> int:
        """Sum of one of the counts over all sources."""
        return sum(getattr(source, count) for source in self.sources)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was refused, now or when a file left alone was read."""
        return not self.rejects and not self.total("earlier_rejects")

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        counts = {c: self.total(c) for c in ("frames_read", "rows", "duplicates", "rejects")}
        return {
            "dataset": self.dataset,
            "version": self.version,
            **counts,
            "sources": [asdict(source) for source in self.sources],
            "rejected": [{"uri": uri, **asdict(reject)} for uri, reject in self.rejects],
            "unmatched_names": list(self.unmatched_names),
        }

    def text(self) -> str:
        """A summary for a person."""
        lines = [self._sentence()]
        unchanged = sum(source.is_unchanged for source in self.sources)
        if unchanged:
            lines.append(f"{unchanged} of {len(self.sources)} files were read before: left alone.")
        lines += self._earlier()
        lines += [place(uri, reject) for uri, reject in self.rejects[:SHOWN_REJECTS]]
        hidden = len(self.rejects) - SHOWN_REJECTS
        if hidden > 0:
            lines.append(f"… and {hidden:,} more")
        if self.rejects and not self.is_refused:
            lines.append("Rejected frames stand in the table 'rejects'.")
        if self.unmatched_names:
            named = ", ".join(self.unmatched_names[:SHOWN_REJECTS])
            lines.append(f"{len(self.unmatched_names)} names do not fit --name-pattern: {named}")
        return "\n".join(lines)

    def _earlier(self) -> list[str]:
        sources = [source for source in self.sources if source.earlier_rejects]
        lines = [
            f"{source.uri}: left alone; {_frames(source.earlier_rejects)} of it "
            f"{'was' if source.earlier_rejects == 1 else 'were'} rejected then, see rejects"
            for source in sources[:SHOWN_REJECTS]
        ]
        hidden = len(sources) - SHOWN_REJECTS
        return [*lines, f"… and {hidden:,} more"] if hidden > 0 else lines

    def _sentence(self) -> str:
        read, rows = self.total("frames_read"), self.total("rows")
        counts = (
            f"{_frames(read)} read: {rows:,} new, {self.total('duplicates'):,} duplicates, "
            f"{self.total('rejects'):,} rejected."
        )
        if self.is_refused:
            return f"{counts} Nothing was committed, because of --strict."
        if self.version is None:
            return f"{counts} Nothing to commit in {self.dataset}."
        return f"{counts} Committed to {self.dataset} as version {self.version}."


def _frames(count: int) -> str:
    return f"{count:,} frame" if count == 1 else f"{count:,} frames"


def place(uri: str, reject: Reject) -> str:
    """Where a reject was, and why."""
    if reject.frame < 0:
        return f"{uri}: {reject.reason}"
    line = f" (line {reject.line})" if reject.line else ""
    return f"{uri}, frame {reject.frame}{line}: {reject.reason}"
